//! A day without ESI: killmails go on without their names, ESI is left in peace, and the names come afterwards.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wanderer_kills::ingest::Outcome;
use wanderer_kills::ingest::upkeep::{self, UpkeepDeps};
use wanderer_kills::runtime::clock::{SharedClock, TestClock};
use wanderer_kills::runtime::config::IngestConfig;
use wanderer_kills::simulator::{Fault, FaultRule, Generator, Habits, Simulator, SimulatorConfig};
use wanderer_kills::store::document::Document;

use crate::support::enriching::{Enriching, Tables};
use crate::support::live::{TOO_LONG, start_time};

const DAY: Duration = Duration::from_hours(24);
/// Killmails of the day; the real stream has a hundred times more, which changes nothing about ESI.
const KILLMAILS: u32 = 144;
/// A request a minute at most, and the failures that opened the breaker.
const TRICKLE: usize = 24 * 60 + 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_without_esi_loses_and_delays_nothing_and_heals() {
    let tables = Tables::new().await;
    let test_clock = TestClock::at(start_time());
    let clock: SharedClock = test_clock.clone();
    let simulator = Simulator::start(SimulatorConfig {
        clock: Arc::clone(&clock),
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    let config = IngestConfig {
        enrich_wait_ms: 2_000,
        ..IngestConfig::default()
    };
    let service = Enriching::start(&tables, &simulator, &clock, config.clone());
    simulator.fault(FaultRule::path("/esi/*", Fault::ServerError(503)));

    let mut generator = Generator::with(1, 140_000_001, Habits::NONE);
    for _ in 0..KILLMAILS {
        let killmail = generator.at(clock.now());
        let outcome = service.send(killmail).await;
        let outcome = tokio::time::timeout(TOO_LONG, outcome).await;
        assert!(matches!(
            outcome.unwrap().unwrap(),
            Outcome::Stored {
                sequence: Some(_),
                ..
            }
        ));
        test_clock.advance(DAY / KILLMAILS);
    }
    let pending = "SELECT count(*) FROM killmails WHERE pending_names";
    assert_eq!(tables.count(pending).await, i64::from(KILLMAILS));
    let asked = simulator.request_count("/esi/");
    println!("{asked} requests to ESI in a day of outage");
    assert!(asked <= TRICKLE, "{asked} requests to ESI");

    simulator.clear_faults();
    let token = CancellationToken::new();
    let deps = UpkeepDeps {
        store: tables.store.clone(),
        clock: Arc::clone(&clock),
        resolver: service.resolver.clone(),
        zkb: None,
        input: service.input.clone(),
        ingest: config,
        reference_data: None,
    };
    let _upkeep = AbortOnDropHandle::new(tokio::spawn(upkeep::run(deps, token.clone())));
    let heals = async {
        while tables.count(pending).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, heals).await.unwrap();
    token.cancel();
    let documents: Vec<Document> = sqlx::query_scalar(
        "SELECT packed_document FROM killmails WHERE victim_corporation_id IS NOT NULL",
    )
    .fetch_all(&tables.store.pool)
    .await
    .unwrap();
    for Document(document) in documents {
        let killmail: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert!(
            killmail["victim"]["corporation_ticker"].is_string(),
            "{document}"
        );
    }
    let announced = "SELECT count(*) FROM feed";
    assert_eq!(
        tables.count(announced).await,
        i64::from(KILLMAILS),
        "healing is not announced"
    );
}
