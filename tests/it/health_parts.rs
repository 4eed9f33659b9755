//! What health says of single parts, and what orchestrators ask.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use wanderer_kills::api::probe::{LiveStanding, Probe};
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::app::TestApp;
use crate::support::binary::ServiceCommand;
use crate::support::following::{following, publish, stored};
use crate::support::http::get;
use crate::support::postgres::{self, database};
use crate::support::proxy::ChaosProxy;

const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again until the answer is as it should be.
async fn until(
    address: SocketAddr,
    path: &str,
    wanted: impl Fn(u16, &Value) -> bool + Send + Sync,
) -> Value {
    let mut last = None;
    let answered = async {
        loop {
            let answer = get(address, path).await.unwrap();
            let body = answer.json();
            if wanted(answer.status, &body) {
                return body;
            }
            last = Some(body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let Ok(body) = tokio::time::timeout(PATIENCE, answered).await else {
        panic!("{path} never answered so: {last:?}");
    };
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_a_process_lives_and_is_not_ready() {
    let database = database().await;
    let mut proxy = ChaosProxy::start(database.url()).await;
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", proxy.url())
        .env("WK_LIVE_SOURCE", "none");
    let address = command.listen();
    let service = command.start().await;
    let ready = until(address, "/health/ready", |status, _| status == 200).await;
    let all = json!({ "database": true, "migrated": true, "listening": true, "caught_up": true });
    assert_eq!(ready, json!({ "ready": true, "checks": all }));

    proxy.cut();
    proxy.refuses().await;
    let unready = until(address, "/health/ready", |status, _| status == 503).await;
    assert_eq!(unready["ready"], false);
    assert_eq!(unready["checks"]["database"], false);
    assert_eq!(unready["checks"]["listening"], true);
    let live = get(address, "/health/live").await.unwrap();
    assert_eq!((live.status, live.json()), (200, json!({ "live": true })));

    proxy.restore();
    until(address, "/health/ready", |status, _| status == 200).await;
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_behind_is_not_ready() {
    let app = TestApp::start().await;
    let ready = app.get("/health/ready").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    postgres::execute(
        app.database_url(),
        "DELETE FROM refinery_schema_history WHERE version = (SELECT max(version) FROM refinery_schema_history)",
    )
    .await
    .unwrap();
    let behind = app.get("/health/ready").await;
    assert_eq!(behind.status, 503);
    assert_eq!(behind.json()["checks"]["migrated"], false);
    assert_eq!(behind.json()["checks"]["database"], true);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_has_long_had_nothing_new_is_stale_and_no_more() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let command = following(&simulator, folder.path())
        .env("WK_SHIP_TYPES_URL", simulator.ship_types_url())
        .env("DATABASE_URL", database.url());
    let address = command.listen();
    let service = command.start().await;
    publish(&simulator, 3);
    stored(address, 3).await;
    let well = until(address, "/health", |_, body| body["status"] == "ok").await;
    let ingest = &well["details"]["ingest"];
    assert_eq!(
        (&ingest["source"], &ingest["follows"]),
        (&json!("r2z2"), &json!(true))
    );
    assert_eq!(well["details"]["enrichment"]["healthy"], true);
    assert_eq!(well["details"]["webhooks"]["paused"], 0);
    assert_eq!(
        well["details"]["disk"],
        Value::Null,
        "the database is elsewhere"
    );

    let silent = "UPDATE source_cursors SET updated_at = now() - interval '3 hours'";
    postgres::execute(database.url(), silent).await.unwrap();
    let stale = get(address, "/health").await.unwrap();
    let body = stale.json();
    assert_eq!((stale.status, &body["status"]), (200, &json!("degraded")));
    assert_eq!(body["details"]["ingest"]["reason"], "stale");
    assert_eq!(get(address, "/health/ready").await.unwrap().status, 200);

    publish(&simulator, 1);
    until(address, "/health", |_, body| body["status"] == "ok").await;
    assert_eq!(service.terminate().await, Some(0));
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_private_databases_disk_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path()).env("WK_LIVE_SOURCE", "none");
    let address = command.listen();
    let service = command.start().await;
    let health = get(address, "/health").await.unwrap().json();
    let disk = &health["details"]["disk"];
    let total = disk["total_bytes"].as_u64().unwrap();
    assert!(
        total > 0 && disk["free_bytes"].as_u64().unwrap() <= total,
        "{disk}"
    );
    assert_eq!(service.terminate().await, Some(0));
}

/// How health finds a source that last moved at 10:58 UTC, at this time of the same day.
async fn at(app: &TestApp, clock: &TestClock, time: &str) -> (u16, Value) {
    let now: DateTime<Utc> = format!("2026-11-20T{time}Z").parse().unwrap();
    let ahead = now - wanderer_kills::runtime::clock::Clock::now(clock);
    clock.advance(ahead.to_std().unwrap());
    let answer = app.get("/health").await;
    let body = answer.json();
    let verdict = json!([
        body["details"]["ingest"]["healthy"],
        body["details"]["ingest"]["reason"]
    ]);
    (answer.status, verdict)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daily_downtime_makes_nothing_stale() {
    let clock = TestClock::at("2026-11-20T10:58:00Z".parse().unwrap());
    let database = database().await;
    postgres::execute(
        database.url(),
        "INSERT INTO source_cursors (source, position, updated_at) VALUES ('r2z2', 7, '2026-11-20T10:58:00Z')",
    )
    .await
    .unwrap();
    let live = Probe::new(|| {
        Some(LiveStanding {
            source: "r2z2",
            obstacle: None,
            last_answer: None,
        })
    });
    let app = TestApp::probed(database.url(), clock.clone(), live).await;
    for (time, verdict) in [
        ("10:59:00", json!([true, null])),
        ("11:29:00", json!([true, null])),
        ("11:42:00", json!([true, null])),
        ("11:44:00", json!([false, "stale"])),
    ] {
        let (_, found) = at(&app, &clock, time).await;
        assert_eq!(found, verdict, "{time}");
    }
    app.stop().await;
}
