//! `GET /health` as a monitor sees it: well, without a database, and well again.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use wanderer_kills::simulator::{Fault, FaultRule, Simulator, SimulatorConfig};

use crate::store_samples;
use crate::support::binary::ServiceCommand;
use crate::support::following::{following, publish, stored};
use crate::support::http::get;
use crate::support::postgres;
use crate::support::proxy::ChaosProxy;

/// Longest wait for a change that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again until the answer has this status.
async fn until(address: SocketAddr, status: u16) -> Value {
    let answered = async {
        loop {
            let answer = get(address, "/health").await.unwrap();
            if answer.status == status {
                return answer.json();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answered)
        .await
        .unwrap_or_else(|_| panic!("never answered {status}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_when_the_database_is_away_and_when_it_is_back() {
    let database = postgres::database().await;
    let mut proxy = ChaosProxy::start(database.url()).await;
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", proxy.url())
        .env("WK_LIVE_SOURCE", "none");
    let address = command.listen();
    let service = command.start().await;

    let well = until(address, 200).await;
    assert_eq!(
        (&well["healthy"], &well["status"]),
        (&true.into(), &"ok".into())
    );
    assert_eq!(well["details"]["ingest"]["dead_letters"], 0);

    proxy.cut();
    proxy.refuses().await;
    let ill = until(address, 503).await;
    assert_eq!(
        (&ill["healthy"], &ill["status"]),
        (&false.into(), &"error".into())
    );
    assert_eq!(ill["details"]["database"]["healthy"], false);
    assert!(ill["details"]["ingest"].is_null());

    proxy.restore();
    let again = until(address, 200).await;
    assert_eq!(again["details"]["database"]["healthy"], true);
    assert_eq!(service.terminate().await, Some(0));
}

/// How long the source is left alone from the answer's time on.
fn left_alone_for(ill: &Value) -> TimeDelta {
    let time = |value: &Value| DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap();
    time(&ill["details"]["ingest"]["until"]) - time(&ill["timestamp"])
}

/// Half a minute in real time: the source's own back-off comes before its breaker opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_29_health_says_when_the_live_source_is_left_alone() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let command = || following(&simulator, folder.path()).env("DATABASE_URL", database.url());
    let (first, second) = (command(), command());
    let (follower, bystander) = (first.listen(), second.listen());
    let leader = first.start().await;
    publish(&simulator, 3);
    stored(follower, 3).await;
    let stand_in = second.start().await;
    let well = until(follower, 200).await;
    let keys: Vec<&String> = well.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["details", "healthy", "status", "timestamp"]);
    assert_eq!(well["details"]["ingest"]["healthy"], true);

    simulator.fault(FaultRule::path("/r2z2/*", Fault::ServerError(503)));
    let ill = until(follower, 503).await;
    assert_eq!(
        (&ill["healthy"], &ill["status"]),
        (&false.into(), &"error".into())
    );
    assert_eq!(ill["details"]["ingest"]["healthy"], false);
    assert_eq!(ill["details"]["ingest"]["reason"], "breaker_open");
    assert!(left_alone_for(&ill) <= TimeDelta::minutes(1));
    assert_eq!(ill["details"]["database"]["healthy"], true);
    assert_eq!(ill["details"]["feed"]["healthy"], true);
    let beside = get(bystander, "/health").await.unwrap();
    assert_eq!(beside.status, 200);
    assert_eq!(beside.json()["details"]["ingest"]["healthy"], true);

    publish(&simulator, 2);
    simulator.clear_faults();
    let again = until(follower, 200).await;
    assert!(again["details"]["ingest"]["reason"].is_null());
    stored(bystander, 5).await;

    simulator.fault(FaultRule::path("/r2z2/*", Fault::Forbidden));
    let banned = until(follower, 503).await;
    assert_eq!(banned["details"]["ingest"]["reason"], "banned");
    assert!(left_alone_for(&banned) > TimeDelta::minutes(50));

    // Another process that takes over is not the one that was refused.
    simulator.clear_faults();
    assert_eq!(leader.terminate().await, Some(0));
    publish(&simulator, 2);
    stored(bystander, 7).await;
    until(bystander, 200).await;
    assert_eq!(stand_in.terminate().await, Some(0));
}

#[tokio::test]
async fn counts_end_where_they_stop_telling_more() {
    let (database, store) = store_samples::store().await;
    postgres::execute(
        database.url(),
        "INSERT INTO source_cursors (source, position) VALUES ('r2z2', 1);
         INSERT INTO source_gaps (source, position, reason, next_attempt_at)
         SELECT 'r2z2', n, 'missing', CASE WHEN n > 10 THEN now() END FROM generate_series(1, 1500) AS n;
         INSERT INTO dead_letters (source, position, code, reason, payload, received_at)
         SELECT 'r2z2', n::text, 'not_json', '', '', now() FROM generate_series(1, 1500) AS n;",
    )
    .await
    .unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    let most = wanderer_kills::store::health::MAX_COUNTED;
    let status = wanderer_kills::store::health::ingest_status(&mut connection)
        .await
        .unwrap();
    assert_eq!(status.dead_letters, most);
    assert_eq!(status.sources[0].open_gaps, most);
    let open = async |source| {
        wanderer_kills::store::gaps::open(&store.pool, source)
            .await
            .unwrap()
    };
    assert_eq!((open("r2z2").await, open("redisq").await), (most, 0));
    postgres::execute(
        database.url(),
        "DELETE FROM source_gaps WHERE position > 15",
    )
    .await
    .unwrap();
    assert_eq!(open("r2z2").await, 5, "given up ones are not looked for");
}
