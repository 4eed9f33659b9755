//! Every kind of answer that ESI is known to give, and what is asked next, and when, on the test clock.

use std::time::Duration;

use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};
use wanderer_kills::upstream::esi::{EsiClient, EsiPace};
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

struct Scene {
    simulator: Simulator,
    esi: EsiClient,
}

/// Fast enough that waits on the clock are waits for ESI's sake.
const PACE: EsiPace = EsiPace {
    all: Duration::from_millis(1),
    names: Duration::from_millis(1),
    killmails: Duration::from_millis(1),
};

async fn scene_at(time: &str, config: SimulatorConfig) -> Scene {
    let clock = TestClock::at(format!("2026-11-24T{time}Z").parse().unwrap());
    let simulator = Simulator::start(SimulatorConfig {
        clock: clock.clone(),
        ..config
    })
    .await
    .unwrap();
    let http = HttpClient::new(&HttpSettings::default(), clock.clone()).unwrap();
    let esi = EsiClient::with_pace(http, simulator.esi_url(), PACE);
    Scene { simulator, esi }
}

async fn scene() -> Scene {
    scene_at("15:00:00", SimulatorConfig::default()).await
}

const PILOT: i64 = 2_120_000_000;
const UNKNOWN: i64 = 2_129_000_000;

#[tokio::test]
async fn names_come_with_one_request() {
    let scene = scene().await;
    let ids: Vec<i64> = (PILOT..PILOT + 995)
        .chain([98_700_001, 99_020_001, 3_000_001, 500_001, 30_000_142])
        .collect();
    let answer = scene.esi.names(&ids).await;
    assert_eq!(answer.named.len(), 1_000, "{answer:?}");
    assert_eq!(scene.simulator.request_count("/esi/"), 1);
    let category = |id: i64| {
        let named = answer.named.iter().find(|it| it.id == id).unwrap();
        named.category.clone()
    };
    assert_eq!(category(PILOT), "character");
    assert_eq!(category(98_700_001), "corporation");
    assert_eq!(category(3_000_001), "character");
}

#[tokio::test]
async fn poison_is_found_out_and_nobody_else_is_lost() {
    let scene = scene().await;
    let mut ids: Vec<i64> = (PILOT..PILOT + 997).collect();
    ids.insert(10, UNKNOWN);
    ids.insert(500, UNKNOWN + 1);
    ids.push(UNKNOWN + 2);
    let mut answer = scene.esi.names(&ids).await;
    answer.refused.sort_unstable();
    assert_eq!(answer.refused, [UNKNOWN, UNKNOWN + 1, UNKNOWN + 2]);
    assert_eq!(answer.named.len(), 997);
    assert!(answer.error.is_none());
    let asked = scene.simulator.request_count("/esi/");
    assert!(asked <= 1 + 3 * 12, "{asked}");
    assert_eq!(scene.simulator.esi_refusals(), 0);
}

#[tokio::test]
async fn organisations_types_and_systems_are_put_together() {
    let scene = scene().await;
    let corporation = scene.esi.corporation(98_700_001).await.unwrap().unwrap();
    assert_eq!(corporation.name, "Corporation 98700001");
    assert_eq!(corporation.ticker.as_deref(), Some("C0001"));
    let alliance = scene.esi.alliance(99_020_001).await.unwrap().unwrap();
    assert_eq!(alliance.ticker.as_deref(), Some("A0001"));
    assert_eq!(scene.esi.corporation(5).await.unwrap(), None);
    assert_eq!(scene.esi.alliance(5).await.unwrap(), None);

    let ship = scene.esi.ship_type(670).await.unwrap().unwrap();
    assert_eq!((ship.group_id, ship.category_id), (29, 6));
    assert_eq!(
        (ship.name.as_str(), ship.category_name.as_str()),
        ("Capsule", "Ship")
    );
    assert_eq!(scene.esi.ship_type(1).await.unwrap(), None);
    let system = scene.esi.solar_system(30_000_142).await.unwrap().unwrap();
    assert_eq!(
        (system.name.as_str(), system.region_name.as_str()),
        ("Jita", "The Forge")
    );
    assert_eq!(system.constellation_name, "Kimotoro");
    assert_eq!(system.wormhole_class, None);
    assert!(!scene.esi.status().await.unwrap().vip);
}
