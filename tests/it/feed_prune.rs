//! The hourly round: what is too old goes, what is young enough stays.
#![expect(clippy::disallowed_methods, reason = "tests read the real time")]

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use wanderer_kills::feed::Feed;
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::runtime::config::FeedConfig;
use wanderer_kills::runtime::supervisor::Supervisor;
use wanderer_kills::store::killfeed_clients;

use crate::store_samples::{announce, store};
use crate::support::postgres;

/// Longest wait for the round.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn old_events_and_pollers_that_stopped_asking_are_forgotten() {
    let (database, store) = store().await;
    announce(&store, 3).await;
    for client in ["old", "young"] {
        let mut transaction = store.pool.begin().await.unwrap();
        let given = killfeed_clients::take(&mut transaction, client, &[30_000_001], 10);
        assert!(!given.await.unwrap().is_empty());
        transaction.commit().await.unwrap();
    }
    // The clock's pauses pass at once, so its time runs: the young one is younger than the test can make it old.
    postgres::execute(
        database.url(),
        "UPDATE killfeed_clients SET seen_at = now() + interval '1000 years' WHERE client_id = 'young'",
    )
    .await
    .unwrap();

    let supervisor = Supervisor::new();
    let days = TimeDelta::days(killfeed_clients::DAYS_REMEMBERED + 1);
    let clock = TestClock::at(Utc::now() + days);
    let feed = Feed::start(store.clone(), FeedConfig::default(), clock, &supervisor)
        .await
        .unwrap();
    let forgotten = async {
        loop {
            let query = "SELECT coalesce(string_agg(client_id, ' '), '') FROM killfeed_clients";
            let left = postgres::text(database.url(), query).await.unwrap();
            let bounds = feed.bounds();
            if left == "young" && bounds.floor == bounds.head {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, forgotten).await.unwrap();
    let offsets = "SELECT string_agg(DISTINCT client_id, ' ') FROM killfeed_offsets";
    let left = postgres::text(database.url(), offsets).await.unwrap();
    assert_eq!(left, "young", "offsets go with their client");
    supervisor.shut_down();
    supervisor.join().await.unwrap();
}
