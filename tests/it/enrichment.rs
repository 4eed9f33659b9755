//! What a killmail leaves with, and when: ESI in time, late, old, or not asked at all.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use wanderer_kills::domain::{Attacker, Killmail, ShipType, Victim};
use wanderer_kills::ingest::{Announce, Outcome};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::IngestConfig;
use wanderer_kills::simulator::{Fault, FaultRule, Simulator, SimulatorConfig, catalog};
use wanderer_kills::store::killmails;

use crate::support::enriching::{Enriching, Tables};
use crate::support::live::TOO_LONG;
use crate::support::postgres::execute;

/// Of the simulator's endless population.
const PILOT: i64 = 2_120_000_001;
const CORPORATION: i64 = 98_700_001;

struct Scene {
    tables: Tables,
    simulator: Simulator,
    service: Enriching,
}

impl Scene {
    async fn start(enrich_wait_ms: u64) -> Self {
        let tables = Tables::new().await;
        let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
        let config = IngestConfig {
            enrich_wait_ms,
            ..IngestConfig::default()
        };
        let service = Enriching::start(&tables, &simulator, &SystemClock::shared(), config);
        Self {
            tables,
            simulator,
            service,
        }
    }

    /// The document that was committed.
    async fn document(&self, announce: Announce) -> String {
        let killmail = killmail();
        let id = killmail.killmail_id;
        let outcome = self.service.send_as(killmail, announce).await;
        let outcome = tokio::time::timeout(TOO_LONG, outcome).await;
        assert!(matches!(outcome.unwrap(), Ok(Outcome::Stored { .. })));
        let stored = killmails::get(&self.tables.store.pool, id, false).await;
        stored.unwrap().unwrap().document
    }

    async fn pending(&self) -> i64 {
        let pending = "SELECT count(*) FROM killmails WHERE pending_names";
        self.tables.count(pending).await
    }

    /// Waits until a query answers more than 0.
    async fn until(&self, query: &str) {
        let comes_true = async {
            while self.tables.count(query).await == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(TOO_LONG, comes_true).await.unwrap();
    }
}

fn killmail() -> Killmail {
    let ship = catalog::ship_types().into_iter().find(ShipType::is_ship);
    let ship_type_id = ship.map(|it| it.type_id);
    Killmail {
        killmail_id: 150_000_001,
        hash: None,
        killmail_time: Utc::now() - TimeDelta::minutes(1),
        solar_system_id: catalog::solar_systems()[0].solar_system_id,
        moon_id: None,
        war_id: None,
        victim: Victim {
            character_id: Some(PILOT),
            corporation_id: Some(CORPORATION),
            ship_type_id,
            ..Victim::default()
        },
        attackers: vec![Attacker {
            character_id: Some(PILOT + 1),
            corporation_id: Some(CORPORATION),
            ship_type_id,
            final_blow: true,
            ..Attacker::default()
        }],
        zkb: None,
    }
}

#[tokio::test]
async fn a_live_killmail_leaves_with_everything() {
    let scene = Scene::start(30_000).await;
    let document = scene.document(Announce::Always).await;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let attacker = &document["attackers"][0];
    for party in [&document["victim"], attacker] {
        assert!(
            party["character_name"]
                .as_str()
                .unwrap()
                .starts_with("Pilot ")
        );
        assert!(party["corporation_name"].is_string());
        assert!(party["corporation_ticker"].is_string());
        assert!(party["ship_name"].is_string());
        assert!(party["ship_group_name"].is_string());
    }
    assert!(document["solar_system_name"].is_string());
    assert!(document["region_name"].is_string());
    assert!(document["security_status"].is_f64());
    assert_eq!(scene.pending().await, 0);
    assert_eq!(scene.simulator.request_count("/esi/universe/names"), 1);
}

#[tokio::test]
async fn a_slow_esi_delays_no_longer_than_the_bound_and_its_answer_is_kept() {
    let scene = Scene::start(20).await;
    let slow = Fault::Stall(Duration::from_millis(200));
    scene.simulator.fault(FaultRule::path("/esi/*", slow));
    let document = scene.document(Announce::Always).await;
    assert!(!document.contains("character_name"), "{document}");
    assert_eq!(scene.pending().await, 1);
    scene
        .until("SELECT count(*) FROM names WHERE kind = 'character'")
        .await;
}

#[tokio::test]
async fn history_asks_nobody() {
    let scene = Scene::start(30_000).await;
    let document = scene.document(Announce::Never).await;
    assert!(document.contains("ship_name"), "{document}");
    assert_eq!(scene.pending().await, 1);
    assert_eq!(scene.simulator.request_count("/esi/"), 0);
}

#[tokio::test]
async fn an_old_name_is_used_and_asked_for_again() {
    let scene = Scene::start(30_000).await;
    let known = format!(
        "INSERT INTO names (kind, id, name, ticker, updated_at) VALUES
         ('character', {PILOT}, 'Long Ago', NULL, now() - interval '91 days'),
         ('character', {}, 'Lately', NULL, now() - interval '89 days'),
         ('corporation', {CORPORATION}, 'Formerly', 'OLD', now() - interval '31 days')",
        PILOT + 1
    );
    execute(scene.tables.database.url(), &known).await.unwrap();
    let document = scene.document(Announce::Always).await;
    for name in ["Long Ago", "Lately", "Formerly"] {
        assert!(document.contains(name), "{document}");
    }
    let renewed = format!("SELECT count(*) FROM names WHERE id = {PILOT} AND name LIKE 'Pilot %'");
    scene.until(&renewed).await;
    let renewed = format!(
        "SELECT count(*) FROM names WHERE id = {CORPORATION} AND name <> 'Formerly' AND ticker = 'OLD'"
    );
    scene.until(&renewed).await;
    let kept = "SELECT count(*) FROM names WHERE name = 'Lately'";
    assert_eq!(scene.tables.count(kept).await, 1);
}
