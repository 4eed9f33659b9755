//! The feed: gapless, in commit order, one notification a transaction, pruned from its old end.

use sqlx::postgres::PgListener;
use wanderer_kills::domain::FeedSequence;
use wanderer_kills::store::feed::{self, Bounds, FeedEntry, FeedRow};

use crate::store_samples::{announce, append, append_in, entry, killmail, store, time, upsert};

fn sequences(rows: &[FeedRow]) -> Vec<i64> {
    rows.iter().map(|row| row.sequence.0).collect()
}

fn bounds(floor: i64, head: i64) -> Bounds {
    Bounds {
        floor: FeedSequence(floor),
        head: FeedSequence(head),
    }
}

#[tokio::test]
async fn pages_by_cursor_system_and_from_the_end() {
    let (_database, store) = store().await;
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(0, 0));
    announce(&store, 10).await;
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(0, 10));

    let page = feed::page(&store.pool, FeedSequence(3), 4).await.unwrap();
    assert_eq!(sequences(&page), [4, 5, 6, 7]);
    assert_eq!(page[0].killmail_id, 4);
    assert!(page[0].document.contains("\"killmail_id\":4"));
    let latest = feed::latest(&store.pool, 3).await.unwrap();
    assert_eq!(sequences(&latest), [8, 9, 10]);

    let systems = [30_000_003, 30_000_001, 30_000_001];
    let page = feed::page_in_systems(&store.pool, FeedSequence(1), &systems, 4)
        .await
        .unwrap();
    assert_eq!(sequences(&page), [3, 4, 6, 7]);
    let none = feed::page_in_systems(&store.pool, FeedSequence(0), &[], 4).await;
    assert!(none.unwrap().is_empty());
}

#[tokio::test]
async fn concurrent_appends_with_rollbacks_leave_no_gap_and_no_disorder() {
    let (_database, store) = store().await;
    let killmails: Vec<_> = (1..=240).map(killmail).collect();
    upsert(&store, killmails.clone()).await;
    let writers = killmails.chunks(60).map(|own| {
        let store = store.clone();
        async move {
            for (round, chunk) in own.chunks(3).enumerate() {
                let entries: Vec<FeedEntry> = chunk.iter().map(entry).collect();
                let mut transaction = store.pool.begin().await.unwrap();
                append_in(&mut transaction, &entries).await;
                if round % 4 == 1 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                }
            }
        }
    });
    // What a reader has seen below its cursor never changes afterwards.
    let reader = async {
        let mut seen: Vec<i64> = Vec::new();
        while seen.len() < 180 {
            let after = FeedSequence(seen.last().copied().unwrap_or_default());
            seen.extend(sequences(
                &feed::page(&store.pool, after, 50).await.unwrap(),
            ));
        }
        seen
    };
    let (seen, _) = tokio::join!(reader, futures::future::join_all(writers));
    assert_eq!(seen, (1..=180).collect::<Vec<_>>());
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(0, 180));
    let all = feed::page(&store.pool, FeedSequence(0), 1000)
        .await
        .unwrap();
    let mut ids: Vec<i64> = all.iter().map(|row| row.killmail_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 180);
}

#[tokio::test]
async fn one_notification_a_transaction() {
    let (database, store) = store().await;
    let mut listener = PgListener::connect(database.url()).await.unwrap();
    listener
        .listen_all([feed::CHANNEL, "marker"])
        .await
        .unwrap();
    let killmails: Vec<_> = (1..=9).map(killmail).collect();
    upsert(&store, killmails.clone()).await;
    append(&store, &killmails).await;
    append(&store, &[]).await;
    sqlx::query("NOTIFY marker")
        .execute(&store.pool)
        .await
        .unwrap();
    let first = listener.recv().await.unwrap();
    assert_eq!((first.channel(), first.payload()), (feed::CHANNEL, ""));
    assert_eq!(listener.recv().await.unwrap().channel(), "marker");
}

#[tokio::test]
async fn pruning_moves_the_floor_and_makes_no_hole() {
    let (_database, store) = store().await;
    announce(&store, 10).await;
    // Sequence 4 has a clock that runs ahead: nothing behind it goes before it does.
    sqlx::query("UPDATE feed SET committed_at = CASE sequence WHEN 4 THEN '2026-03-01'::timestamptz WHEN 10 THEN '2026-03-01' ELSE '2026-01-01' END")
        .execute(&store.pool)
        .await
        .unwrap();
    let mut conn = store.pool.acquire().await.unwrap();
    let february = time("2026-02-01T00:00:00Z");
    assert_eq!(feed::prune(&mut conn, february, 2).await.unwrap(), 2);
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(2, 10));
    assert_eq!(feed::prune(&mut conn, february, 100).await.unwrap(), 1);
    assert_eq!(feed::prune(&mut conn, february, 100).await.unwrap(), 0);
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(3, 10));
    let april = time("2026-04-01T00:00:00Z");
    assert_eq!(feed::prune(&mut conn, april, 100).await.unwrap(), 7);
    assert_eq!(feed::prune(&mut conn, april, 100).await.unwrap(), 0);
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(10, 10));
    append(&store, &[killmail(1)]).await;
    assert_eq!(feed::bounds(&store.pool).await.unwrap(), bounds(10, 11));
}
