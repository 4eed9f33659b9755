//! Pollers whose place the server remembers.

use chrono::TimeDelta;
use wanderer_kills::store::{Error, Store, killfeed_clients};

use crate::store_samples::{announce, append, killmail, store, time};

const ALL: [i64; 3] = [30_000_001, 30_000_002, 30_000_003];

async fn take(store: &Store, client: &str, systems: &[i64], limit: i64) -> Vec<i64> {
    let mut transaction = store.pool.begin().await.unwrap();
    let rows = killfeed_clients::take(&mut transaction, client, systems, limit)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    rows.iter().map(|row| row.sequence.0).collect()
}

#[tokio::test]
async fn each_client_gets_each_event_once() {
    let (_database, store) = store().await;
    announce(&store, 9).await;
    assert_eq!(take(&store, "a", &ALL, 4).await, [1, 2, 3, 4]);
    assert_eq!(take(&store, "a", &ALL, 100).await, [5, 6, 7, 8, 9]);
    assert!(take(&store, "a", &ALL, 100).await.is_empty());
    assert_eq!(take(&store, "b", &ALL, 100).await.len(), 9);
    assert!(take(&store, "b", &[], 100).await.is_empty());
}

#[tokio::test]
async fn offsets_are_per_system() {
    let (_database, store) = store().await;
    announce(&store, 9).await;
    assert_eq!(take(&store, "a", &ALL[1..2], 100).await, [2, 5, 8]);
    // One event moves only its own system.
    assert_eq!(take(&store, "a", &ALL, 1).await, [1]);
    assert_eq!(take(&store, "a", &ALL, 100).await, [3, 4, 6, 7, 9]);
}

#[tokio::test]
async fn an_uncommitted_take_takes_nothing() {
    let (_database, store) = store().await;
    announce(&store, 3).await;
    let mut transaction = store.pool.begin().await.unwrap();
    let rows = killfeed_clients::take(&mut transaction, "a", &ALL, 100).await;
    assert_eq!(rows.unwrap().len(), 3);
    transaction.rollback().await.unwrap();
    assert_eq!(take(&store, "a", &ALL, 100).await, [1, 2, 3]);
}

#[tokio::test]
async fn pollers_with_one_name_share_the_stream() {
    let (_database, store) = store().await;
    announce(&store, 60).await;
    let poller = || async {
        let mut got = Vec::new();
        loop {
            let batch = take(&store, "a", &ALL, 7).await;
            if batch.is_empty() {
                return got;
            }
            got.extend(batch);
        }
    };
    let (a, b, c) = tokio::join!(poller(), poller(), poller());
    let mut all = [a, b, c].concat();
    all.sort_unstable();
    assert_eq!(all, (1..=60).collect::<Vec<_>>());
}

#[tokio::test]
async fn forgotten_clients_begin_anew() {
    let (_database, store) = store().await;
    announce(&store, 3).await;
    take(&store, "a", &ALL, 100).await;
    let past = time("2020-01-01T00:00:00Z");
    let future = past + TimeDelta::days(365_000);
    assert_eq!(
        killfeed_clients::prune(&store.pool, past, 10)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        killfeed_clients::prune(&store.pool, future, 10)
            .await
            .unwrap(),
        1
    );
    append(&store, &[killmail(1)]).await;
    assert_eq!(take(&store, "a", &ALL, 100).await, [1, 2, 3]);
}

#[tokio::test]
async fn absurd_lists_are_refused() {
    let (_database, store) = store().await;
    let systems: Vec<i64> = (1..=10_001).collect();
    let mut conn = store.pool.acquire().await.unwrap();
    let error = killfeed_clients::take(&mut conn, "a", &systems, 1)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::TooMany { limit: 10_000, .. }),
        "{error:?}"
    );
    let most: Vec<i64> = (1..=10_000).collect();
    assert!(
        killfeed_clients::take(&mut conn, "a", &most, 1)
            .await
            .unwrap()
            .is_empty()
    );
}
