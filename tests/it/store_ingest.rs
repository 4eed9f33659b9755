//! What the ingest keeps beside killmails: positions, gaps, dead letters, names, types, systems.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use wanderer_kills::domain::{EntityKey, EntityKind, EntityName};
use wanderer_kills::store::dead_letters::{self, DeadLetter};
use wanderer_kills::store::gaps::{self, Gap, GapReason};
use wanderer_kills::store::{Error, cursors, health, names, ship_types, systems};

use crate::store_samples::{enrichment, killmail, store, time, upsert};

fn now() -> DateTime<Utc> {
    time("2026-01-01T12:00:00Z")
}

fn gap(position: i64, minutes: i64) -> Gap {
    Gap {
        source: "r2z2".to_owned(),
        position,
        reason: GapReason::Missing,
        payload: None,
        attempts: 0,
        next_attempt_at: now() + TimeDelta::minutes(minutes),
        recorded_at: now() + TimeDelta::seconds(minutes),
    }
}

#[tokio::test]
async fn only_the_newest_holder_moves_a_position() {
    let (_database, store) = store().await;
    let mut conn = store.pool.acquire().await.unwrap();
    let unknown = cursors::save(&mut conn, "r2z2", 1, 5, None, false).await;
    assert!(matches!(unknown, Err(Error::Fenced { .. })));
    let first = cursors::take_over(&store.pool, "r2z2").await.unwrap();
    assert_eq!(cursors::load(&store.pool, "r2z2").await.unwrap(), None);
    let detail = json!({"queue": "q"});
    cursors::save(&mut conn, "r2z2", first, 5, Some(&detail), false)
        .await
        .unwrap();
    cursors::save(&mut conn, "r2z2", first, 3, None, false)
        .await
        .unwrap();
    let stored = cursors::load(&store.pool, "r2z2").await.unwrap().unwrap();
    assert_eq!((stored.position, stored.detail), (5, detail));

    let second = cursors::take_over(&store.pool, "r2z2").await.unwrap();
    assert!(second > first);
    let fenced = cursors::save(&mut conn, "r2z2", first, 6, None, false).await;
    assert!(matches!(fenced, Err(Error::Fenced { source_name }) if source_name == "r2z2"));
    cursors::save(&mut conn, "r2z2", second, 2, None, true)
        .await
        .unwrap();
    let stored = cursors::load(&store.pool, "r2z2").await.unwrap().unwrap();
    assert_eq!(stored.position, 2);
}

#[tokio::test]
async fn taking_over_waits_for_a_commit_under_way() {
    let (_database, store) = store().await;
    let first = cursors::take_over(&store.pool, "r2z2").await.unwrap();
    let mut old = store.pool.begin().await.unwrap();
    cursors::save(&mut old, "r2z2", first, 9, None, false)
        .await
        .unwrap();
    let mut taking_over = std::pin::pin!(cursors::take_over(&store.pool, "r2z2"));
    let blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    let waits = async {
        while sqlx::query_scalar::<_, i64>(blocked)
            .fetch_one(&store.reads.primary().reads)
            .await
            .unwrap()
            == 0
        {}
    };
    tokio::select! {
        biased;
        epoch = &mut taking_over => panic!("took over beside a commit: {epoch:?}"),
        () = waits => {}
    }
    old.commit().await.unwrap();
    taking_over.await.unwrap();
    let stored = cursors::load(&store.pool, "r2z2").await.unwrap().unwrap();
    assert_eq!(stored.position, 9);
}

#[tokio::test]
async fn gaps_keep_their_ladder_until_it_ends() {
    let (_database, store) = store().await;
    let mut conn = store.pool.acquire().await.unwrap();
    gaps::record(&mut conn, &[gap(8, 5), gap(7, 1), gap(7, 9)])
        .await
        .unwrap();
    let due = gaps::due(&store.pool, "r2z2", now() + TimeDelta::minutes(30), 10)
        .await
        .unwrap();
    assert_eq!(
        due.iter().map(|gap| gap.position).collect::<Vec<_>>(),
        [7, 8]
    );
    assert!(
        gaps::due(&store.pool, "redisq", now(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        gaps::due(&store.pool, "r2z2", now(), 10)
            .await
            .unwrap()
            .is_empty()
    );

    let later = now() + TimeDelta::hours(1);
    let is_open = gaps::reschedule(&store.pool, "r2z2", 7, Some(later)).await;
    assert!(is_open.unwrap());
    gaps::record(&mut conn, &[gap(7, 0)]).await.unwrap();
    let due = gaps::due(&store.pool, "r2z2", later, 10).await.unwrap();
    assert_eq!((due[1].position, due[1].attempts), (7, 1));

    let is_open = gaps::reschedule(&store.pool, "r2z2", 7, None).await;
    assert!(is_open.unwrap());
    assert_eq!(
        gaps::due(&store.pool, "r2z2", later, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    let reopened = Gap {
        reason: GapReason::Updated,
        payload: Some(b"{}".to_vec()),
        ..gap(7, 0)
    };
    gaps::record(&mut conn, std::slice::from_ref(&reopened))
        .await
        .unwrap();
    assert_eq!(
        gaps::due(&store.pool, "r2z2", now(), 10).await.unwrap(),
        [reopened]
    );
    gaps::close(&mut conn, "r2z2", 7).await.unwrap();
    gaps::close(&mut conn, "r2z2", 8).await.unwrap();
    let is_open = gaps::reschedule(&store.pool, "r2z2", 7, Some(later)).await;
    assert!(!is_open.unwrap(), "one that was closed is not opened again");
    assert!(
        gaps::due(&store.pool, "r2z2", later, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn dead_letters_are_kept_once_and_cut() {
    let (_database, store) = store().await;
    let mut conn = store.pool.acquire().await.unwrap();
    let letter = |payload: Vec<u8>| DeadLetter {
        source: "import".to_owned(),
        position: format!("{}.json:3\0", "x".repeat(10_000)),
        code: "not_json".to_owned(),
        reason: "not JSON: a \0 in it".to_owned(),
        payload,
        received_at: now(),
    };
    let letters = [
        letter(vec![0; 3 << 20]),
        letter(b"{".to_vec()),
        letter(b"{".to_vec()),
    ];
    dead_letters::insert(&mut conn, &letters).await.unwrap();
    dead_letters::insert(&mut conn, &letters).await.unwrap();
    assert_eq!(dead_letters::count(&store.pool).await.unwrap(), 2);
    let newest = dead_letters::newest(&store.pool, 10).await.unwrap();
    assert_eq!(newest[0].payload, b"{");
    assert_eq!(newest[0].reason, "not JSON: a \u{fffd} in it");
    assert_eq!(newest[1].payload.len(), dead_letters::MAX_PAYLOAD_BYTES);
}

#[tokio::test]
async fn names_types_and_systems_come_back() {
    let (_database, store) = store().await;
    let key = |kind| EntityKey { kind, id: 99 };
    let name = |name: &str| EntityName {
        name: name.to_owned(),
        ticker: Some("TICK".to_owned()),
    };
    let entries = [
        (key(EntityKind::Alliance), name("first")),
        (key(EntityKind::Corporation), name("corporation\0")),
        (key(EntityKind::Alliance), name("second")),
    ];
    names::upsert(&store.pool, &entries).await.unwrap();
    let keys = [key(EntityKind::Alliance), key(EntityKind::Faction)];
    let found = names::load(&store.pool, &keys).await.unwrap();
    assert_eq!(found, [(key(EntityKind::Alliance), name("second"))]);

    let enrichment = enrichment();
    let rifter = (*enrichment.ship_types[&587]).clone();
    let jita = (*enrichment.solar_systems[&30_000_142]).clone();
    for _ in 0..2 {
        ship_types::upsert(&store.pool, std::slice::from_ref(&rifter))
            .await
            .unwrap();
        systems::upsert(&store.pool, std::slice::from_ref(&jita))
            .await
            .unwrap();
    }
    assert_eq!(
        ship_types::load(&store.pool, &[587, 588]).await.unwrap(),
        [rifter]
    );
    assert_eq!(
        systems::load(&store.pool, &[30_000_142]).await.unwrap(),
        [jita]
    );
}

#[tokio::test]
async fn health_sees_sources_gaps_and_dead_letters() {
    let (_database, store) = store().await;
    health::ping(&store.reads.primary().reads).await.unwrap();
    let mut conn = store.pool.acquire().await.unwrap();
    let empty = health::ingest_status(&mut conn).await.unwrap();
    assert_eq!((empty.sources.len(), empty.newest_killmail), (0, None));
    let epoch = cursors::take_over(&store.pool, "r2z2").await.unwrap();
    cursors::save(&mut conn, "r2z2", epoch, 5, None, false)
        .await
        .unwrap();
    gaps::record(&mut conn, &[gap(4, 0)]).await.unwrap();
    upsert(&store, vec![killmail(1), killmail(2)]).await;
    let status = health::ingest_status(&mut conn).await.unwrap();
    let source = &status.sources[0];
    assert_eq!(
        (source.source.as_str(), source.position, source.open_gaps),
        ("r2z2", Some(5), 1)
    );
    assert_eq!(status.newest_killmail, Some(killmail(2).killmail_time));
    assert_eq!(status.dead_letters, 0);
}
