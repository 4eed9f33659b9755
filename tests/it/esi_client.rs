//! The client against the simulator's ESI with its budgets, and through its downtimes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use rstest::rstest;
use wanderer_kills::runtime::clock::{Clock as _, TestClock};
use wanderer_kills::simulator::{Fault, FaultRule, Simulator, SimulatorConfig};
use wanderer_kills::upstream::esi::{EsiClient, EsiError, EsiPace, KillmailError, Route};
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use super::esi_answers::{PACE, client};
use super::support::scripted::{Scripted, answer};

struct Scene {
    simulator: Simulator,
    clock: Arc<TestClock>,
    esi: EsiClient,
}

async fn scene_with(config: SimulatorConfig, pace: EsiPace) -> Scene {
    let clock = TestClock::at("2026-11-24T15:00:00Z".parse().unwrap());
    let simulator = Simulator::start(SimulatorConfig {
        clock: clock.clone(),
        ..config
    })
    .await
    .unwrap();
    let http = HttpClient::new(&HttpSettings::default(), clock.clone()).unwrap();
    let esi = EsiClient::with_pace(http, simulator.esi_url(), pace);
    Scene {
        simulator,
        clock,
        esi,
    }
}

async fn scene() -> Scene {
    scene_with(SimulatorConfig::default(), PACE).await
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
    assert_eq!(category(99_020_001), "alliance");
    assert_eq!(category(3_000_001), "character");
    assert_eq!(category(500_001), "faction");
    assert_eq!(category(30_000_142), "solar_system");
}

#[tokio::test]
async fn sixty_thousand_pilots_take_sixty_requests() {
    let scene = scene().await;
    let ids: Vec<i64> = (PILOT..PILOT + 60_000).collect();
    let answer = scene.esi.names(&ids).await;
    assert_eq!(answer.named.len(), 60_000);
    assert_eq!(scene.simulator.request_count("/esi/"), 60);
}

#[tokio::test]
async fn ids_are_asked_once_and_impossible_ones_never() {
    let scene = scene().await;
    let answer = scene.esi.names(&[PILOT, 0, PILOT, -4]).await;
    assert_eq!(answer.named.len(), 1);
    assert_eq!(answer.refused, [0, -4]);
    assert!(scene.esi.names(&[0]).await.named.is_empty());
    assert_eq!(scene.simulator.request_count("/esi/"), 1);
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
}

#[tokio::test]
async fn a_refusal_for_another_reason_refuses_nobody() {
    let scene = scene().await;
    let fault = FaultRule::path("/esi/universe/names", Fault::PoisonedNames);
    scene.simulator.fault(fault.times(1));
    let ids: Vec<i64> = (PILOT..PILOT + 100).collect();
    let answer = scene.esi.names(&ids).await;
    assert_eq!((answer.named.len(), answer.refused.len()), (100, 0));
}

#[rstest]
#[case::page_not_found(Fault::HtmlStatus(404))]
#[case::error_limited(Fault::ErrorLimited420)]
#[case::maintenance(Fault::MaintenanceAsSuccess)]
#[case::failing(Fault::HtmlStatus(504))]
#[tokio::test]
async fn what_ends_a_search_leaves_ids_unanswered(#[case] fault: Fault) {
    let scene = scene().await;
    scene
        .simulator
        .fault(FaultRule::path("/esi/universe/names", fault));
    let answer = scene.esi.names(&[PILOT, PILOT + 1]).await;
    assert!(answer.error.is_some());
    assert_eq!(answer.unanswered, [PILOT, PILOT + 1]);
    assert!(answer.named.is_empty() && answer.refused.is_empty());
}

#[tokio::test]
async fn much_poison_never_uses_up_the_error_limit() {
    let scene = scene().await;
    let mut waiting: Vec<i64> = (PILOT..PILOT + 970).collect();
    for number in 0..30 {
        let at = usize::try_from(number * 31).unwrap();
        waiting.insert(at, UNKNOWN + number);
    }
    let mut named = HashSet::new();
    let mut refused = HashSet::new();
    let mut pauses = 0;
    while !waiting.is_empty() {
        let answer = scene.esi.names(&waiting).await;
        named.extend(answer.named.iter().map(|it| it.id));
        refused.extend(answer.refused);
        waiting = answer.unanswered;
        if let Some(EsiError::NotNow { wait, .. }) = answer.error {
            assert!(wait <= Duration::from_mins(1));
            scene.clock.advance(wait);
            pauses += 1;
        }
        assert!(pauses < 10);
    }
    assert_eq!((named.len(), refused.len()), (970, 30));
    assert!(pauses >= 1, "30 bad ids cost more errors than a minute has");
    assert_eq!(scene.simulator.esi_refusals(), 0);
}

#[tokio::test]
async fn errors_side_by_side_never_use_up_the_error_limit() {
    let scene = scene().await;
    let (mut unknown, mut refused) = (0, 0);
    for corporations in (1..=200).collect::<Vec<i64>>().chunks(50) {
        let asked = corporations.iter().map(|id| scene.esi.corporation(*id));
        for answer in join_all(asked).await {
            match answer {
                Ok(None) => unknown += 1,
                Err(EsiError::NotNow { .. }) => refused += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((78..=85).contains(&unknown), "{unknown}");
    assert_eq!(unknown + refused, 200);
    assert_eq!(scene.simulator.esi_refusals(), 0);
}

#[tokio::test]
async fn killmails_side_by_side_never_use_up_their_tokens() {
    let config = SimulatorConfig {
        esi_tokens: 400,
        ..SimulatorConfig::default()
    };
    let scene = scene_with(config, PACE).await;
    let killmails = scene.simulator.publish(300);
    let (mut came, mut refused) = (0, 0);
    for some in killmails.chunks(30) {
        let asked = some
            .iter()
            .map(|it| scene.esi.killmail(it.killmail_id, it.hash.unwrap()));
        for answer in join_all(asked).await {
            match answer {
                Ok(_) => came += 1,
                Err(KillmailError::Budget { .. }) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    // 360 tokens above the reserve pay for 180.
    assert!((150..=180).contains(&came), "{came}");
    assert_eq!(came + refused, 300);
    assert!(scene.esi.unavailable_for(Route::Killmail).is_some());
    assert_eq!(scene.esi.unavailable_for(Route::Names), None);
    assert_eq!(scene.simulator.esi_refusals(), 0);
}

#[tokio::test]
async fn the_same_question_is_asked_once() {
    let scene = scene().await;
    let answers = join_all((0..50).map(|_| scene.esi.corporation(98_700_001))).await;
    assert!(answers.iter().all(|it| matches!(it, Ok(Some(_)))));
    assert_eq!(scene.simulator.request_count("/esi/"), 1);
    let unknown = join_all((0..50).map(|_| scene.esi.alliance(5))).await;
    assert!(unknown.iter().all(|it| matches!(it, Ok(None))));
    assert_eq!(scene.simulator.request_count("/esi/"), 2);

    let it = &scene.simulator.publish(1)[0];
    let (id, hash) = (it.killmail_id, it.hash.unwrap());
    let bodies = join_all((0..50).map(|_| scene.esi.killmail(id, hash))).await;
    assert!(
        bodies
            .iter()
            .all(|it| it.as_ref().unwrap().killmail_id == id)
    );
    assert_eq!(scene.simulator.request_count("/esi/killmails/"), 1);
    scene.esi.killmail(id, hash).await.unwrap();
    assert_eq!(scene.simulator.request_count("/esi/killmails/"), 2);
}

#[tokio::test]
async fn organisations_types_and_systems_are_put_together() {
    let scene = scene().await;
    let corporation = scene.esi.corporation(98_700_001).await.unwrap().unwrap();
    assert_eq!(corporation.name, "Corporation 98700001");
    assert_eq!(corporation.ticker.as_deref(), Some("C0001"));
    let alliance = scene.esi.alliance(99_020_001).await.unwrap().unwrap();
    assert_eq!(alliance.ticker.as_deref(), Some("A0001"));

    let ship = scene.esi.ship_type(670).await.unwrap().unwrap();
    assert_eq!((ship.group_id, ship.category_id), (29, 6));
    assert_eq!(ship.name, "Capsule");
    assert_eq!(ship.category_name, "Ship");
    assert!(ship.published);
    assert_eq!(scene.esi.ship_type(1).await.unwrap(), None);
    let system = scene.esi.solar_system(30_000_142).await.unwrap().unwrap();
    assert_eq!(
        (system.name.as_str(), system.region_id),
        ("Jita", 10_000_002)
    );
    assert_eq!(system.constellation_name, "Kimotoro");
    assert_eq!(system.region_name, "The Forge");
    assert_eq!(system.wormhole_class, None);
    assert_eq!(scene.esi.solar_system(1).await.unwrap(), None);
    assert!(!scene.esi.status().await.unwrap().vip);

    // Another ship's category is remembered: its type and its group are all that is asked.
    let before = scene.simulator.request_count("/esi/");
    scene.esi.ship_type(587).await.unwrap().unwrap();
    assert_eq!(scene.simulator.request_count("/esi/"), before + 2);
}

#[tokio::test]
async fn the_default_pace_is_kept() {
    let scene = scene_with(SimulatorConfig::default(), EsiPace::default()).await;
    for it in scene.simulator.publish(19) {
        let body = scene.esi.killmail(it.killmail_id, it.hash.unwrap()).await;
        assert!(body.is_ok(), "{body:?}");
    }
    // Ten at once, nine more 667 ms apart.
    let took = scene.clock.monotonic();
    assert!(took >= Duration::from_millis(9 * 667), "{took:?}");
    assert!(took < Duration::from_millis(10 * 667), "{took:?}");
}

const GOOD: &str = r#"{"name":"Corporation","ticker":"CORP"}"#;
const STATUS: &str =
    r#"{"players":24512,"server_version":"2990001","start_time":"2026-11-24T11:03:00Z"}"#;
const VIP: &str = r#"{"players":12,"vip":true}"#;
const NOTICE: &str = r#"{"error":"ESI is currently in maintenance mode. Please try again later."}"#;

/// A server whose status is good after so many bad ones.
async fn down(bad: Vec<Vec<u8>>) -> Scripted {
    Scripted::start(move |number, path| match (path, bad.get(number)) {
        (_, Some(bad)) => bad.clone(),
        ("/status", None) => answer("200 OK", &[], STATUS),
        _ => answer("200 OK", &[], GOOD),
    })
    .await
}

async fn wait(esi: &EsiClient) -> Option<u64> {
    match esi.corporation(98_000_001).await {
        Ok(_) => None,
        Err(EsiError::NotNow { wait, .. }) => {
            let told = esi.unavailable_for(Route::Names).unwrap();
            assert!(
                wait.abs_diff(told) < Duration::from_secs(2),
                "{wait:?} {told:?}"
            );
            Some(wait.as_secs())
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn through_the_daily_downtime() {
    let bad = [
        answer("502 Bad Gateway", &[], "<html>"),
        answer("503 Service Unavailable", &[], NOTICE),
        answer("200 OK", &[], VIP),
        answer("200 OK", &[], "<html>"),
    ];
    let server = down(bad.to_vec()).await;
    let (esi, clock) = client(&server.url, "10:58:00");
    let esi = esi.with_daily_downtime();
    assert_eq!(wait(&esi).await, Some(420));
    assert!(esi.status().await.is_err());
    clock.advance(Duration::from_secs(419));
    assert_eq!(wait(&esi).await, Some(1));
    assert!(server.heads().is_empty(), "nothing is asked before 11:05");
    clock.advance(Duration::from_secs(1));
    for pause in [30, 40, 50, 60] {
        assert_eq!(wait(&esi).await, Some(pause));
        clock.advance(Duration::from_secs(pause - 1));
        assert!(wait(&esi).await.is_some());
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(server.paths(), ["/status"; 4]);
    assert_eq!(wait(&esi).await, None);
    assert_eq!(server.paths()[4..], ["/status", "/corporations/98000001"]);
    assert_eq!(esi.unavailable_for(Route::Killmail), None);
}

#[tokio::test]
async fn one_of_many_asks_for_the_status() {
    let server = down(vec![answer("502 Bad Gateway", &[], "")]).await;
    let (esi, _) = client(&server.url, "11:06:00");
    let esi = esi.with_daily_downtime();
    let answers = join_all((1..=50).map(|id| esi.corporation(id))).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(server.paths(), ["/status"]);
}

#[tokio::test]
async fn maintenance_stops_everything_until_the_status_is_good() {
    let notice = answer("503 Service Unavailable", &[], NOTICE);
    let server = down(vec![notice]).await;
    let (esi, clock) = client(&server.url, "17:00:00");
    assert_eq!(wait(&esi).await, Some(30));
    assert_eq!(wait(&esi).await, Some(30));
    assert_eq!(server.heads().len(), 1);
    clock.advance(Duration::from_secs(30));
    assert_eq!(wait(&esi).await, None);
    assert_eq!(server.paths()[1..], ["/status", "/corporations/98000001"]);
}

#[tokio::test]
async fn a_stand_in_on_loopback_has_no_daily_downtime() {
    let server = down(Vec::new()).await;
    let (esi, _) = client(&server.url, "11:00:00");
    assert_eq!(wait(&esi).await, None);
    assert_eq!(server.paths(), ["/corporations/98000001"]);
}
