//! The preloader against a zKillboard that fails.

use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;
use wanderer_kills::domain::HistoryKey;
use wanderer_kills::simulator::{Fault, FaultRule, SimulatorConfig};
use wanderer_kills::store::history_wishes::WishState;

use crate::support::app::{JITA, TestApp};
use crate::support::preloading::{Scene, pages, past, start_time};

fn jita() -> HistoryKey {
    HistoryKey::system(JITA)
}

#[rstest]
#[case::error_object(Fault::ErrorObject)]
#[case::too_many_requests(Fault::TooManyRequests { retry_after: Some(90) })]
#[case::too_many_without_a_time(Fault::TooManyRequests { retry_after: None })]
#[case::reinforced(Fault::ServerError(503))]
#[case::html(Fault::Html)]
#[case::balancer(Fault::HtmlStatus(502))]
#[case::banned(Fault::Forbidden)]
#[case::empty_body(Fault::EmptyBody)]
#[case::cut_off(Fault::TruncatedJson)]
#[case::cut_connection(Fault::CutConnection)]
#[tokio::test(flavor = "multi_thread")]
async fn it_passes(#[case] fault: Fault) {
    let scene = Scene::new(past(2, 2_000)).await;
    let since = TimeDelta::hours(36);
    scene.wish(jita(), since).await;
    let rule = FaultRule::path("/zkb/api/systemID/*", fault).times(3);
    scene.simulator.fault(rule);
    scene.rounds_within(TimeDelta::hours(5)).await;
    let row = scene.row(jita()).await;
    assert_eq!(row.state, WishState::Complete, "{:?}", row.last_error);
    assert_eq!((row.attempts, row.last_error), (0, None));
    let expected = scene.expected(jita(), start_time() - since).await;
    scene.assert_stored(&expected).await;
    scene.assert_polite();
    assert_eq!(scene.asked().len(), 3 + pages(expected.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_up_visibly_until_somebody_asks_anew() {
    let scene = Scene::new(past(1, 100)).await;
    let app = TestApp::serving(scene.tables.database.url(), scene.clock.clone()).await;
    let path = format!("/api/v1/kills/system/{JITA}?since_hours=5");
    let backfill = async || app.get(&path).await.json()["data"]["backfill"].clone();
    assert_eq!(backfill().await["state"], "requested");
    scene
        .simulator
        .fault(FaultRule::path("/zkb/*", Fault::ErrorObject));
    scene.rounds_within(TimeDelta::hours(8)).await;
    let row = scene.row(jita()).await;
    assert_eq!((row.state, row.attempts), (WishState::Failed, 5));
    assert_eq!(scene.asked().len(), 5);
    scene.rounds_within(TimeDelta::days(2)).await;
    assert_eq!(scene.asked().len(), 5);
    scene.simulator.clear_faults();
    assert_eq!(backfill().await["state"], "requested", "days later");
    scene
        .simulator
        .fault(FaultRule::path("/zkb/*", Fault::ErrorObject));
    scene.rounds_within(TimeDelta::minutes(450)).await;
    let failed = backfill().await;
    assert_eq!(failed["state"], "failed");
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("something went wrong"), "{reason}");
    scene.simulator.clear_faults();
    scene.clock.advance(Duration::from_hours(1));
    assert_eq!(backfill().await["state"], "requested");
    scene.rounds().await;
    assert_eq!(backfill().await["state"], "complete");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_nobodys_failure() {
    let scene = Scene::new(past(1, 100)).await;
    scene.wish(jita(), TimeDelta::hours(5)).await;
    scene
        .simulator
        .fault(FaultRule::path("/zkb/*", Fault::ServerError(503)));
    scene.rounds_within(TimeDelta::hours(12)).await;
    let row = scene.row(jita()).await;
    assert_eq!((row.state, row.attempts), (WishState::Running, 0));
    assert!(row.last_error.unwrap().contains("503"));
    let asked = scene.asked().len();
    assert!(asked <= 12 * 60 + 1, "{asked} requests in 12 h");
    scene.simulator.clear_faults();
    scene.rounds_within(TimeDelta::minutes(10)).await;
    assert_eq!(scene.row(jita()).await.state, WishState::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_is_an_answer() {
    let scene = Scene::new(past(1, 100)).await;
    scene.wish(jita(), TimeDelta::hours(5)).await;
    scene
        .simulator
        .fault(FaultRule::path("/zkb/*", Fault::EmptyList));
    scene.rounds().await;
    assert_eq!(scene.asked().len(), 1);
    assert_eq!(scene.row(jita()).await.state, WishState::Complete);
    assert!(scene.stored().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_bodies_asks_esi_for_what_is_missing() {
    let config = SimulatorConfig {
        zkb_with_body: false,
        ..past(2, 400)
    };
    let scene = Scene::new(config).await;
    let forge = HistoryKey {
        kind: wanderer_kills::domain::HistoryKind::Region,
        id: 10_000_002,
    };
    let bodies = || {
        let requests = scene.simulator.requests().into_iter();
        requests
            .filter(|it| it.path.contains("/killmails/"))
            .count()
    };
    scene.wish(jita(), TimeDelta::hours(60)).await;
    scene.rounds().await;
    let here = scene
        .expected(jita(), start_time() - TimeDelta::hours(60))
        .await;
    assert!(!here.is_empty());
    assert_eq!(bodies(), here.len());
    let poisoned = format!("*/killmails/{}/*", here[0].0);
    // One that is stored is not asked for, so that what ESI says of it does not matter.
    scene
        .simulator
        .fault(FaultRule::path(poisoned, Fault::WrongHash));
    // One that ESI can't give now makes the page wait.
    let outage = FaultRule::path("/esi/*killmails/*", Fault::ServerError(502)).times(3);
    scene.simulator.fault(outage);
    scene.wish(forge, TimeDelta::hours(60)).await;
    scene.rounds_within(TimeDelta::hours(2)).await;
    let all = scene
        .expected(forge, start_time() - TimeDelta::hours(60))
        .await;
    scene.assert_stored(&all).await;
    assert_eq!(scene.row(forge).await.state, WishState::Complete);
    assert_eq!(
        scene
            .tables
            .count("SELECT count(*) FROM dead_letters")
            .await,
        0
    );
    assert_eq!(
        scene.tables.count("SELECT count(*) FROM source_gaps").await,
        0
    );
}
