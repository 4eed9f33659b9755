//! `GET /api/systems/active` on a real socket.

use chrono::{TimeDelta, Utc};
use rstest::rstest;
use wanderer_kills::domain::{Killmail, Zkb};
use wanderer_kills::store::systems;

use crate::store_samples::enrichment;
use crate::support::app::{JITA, TestApp, killmail, storable};

#[tokio::test(flavor = "multi_thread")]
async fn the_busiest_come_first() {
    let app = TestApp::start().await;
    let now = Utc::now();
    let at = |id: i64, system: i64, hours: i64| Killmail {
        killmail_time: now - TimeDelta::hours(hours),
        solar_system_id: system,
        zkb: Some(Zkb {
            total_value: Some(10.0),
            ..Zkb::default()
        }),
        ..killmail(id, system)
    };
    let batch: Vec<_> = [
        at(1, JITA, 1),
        at(2, JITA, 2),
        at(3, 31_000_005, 1),
        at(4, 31_000_005, 30),
        at(5, 31_000_005, 31),
    ]
    .map(storable)
    .into();
    let store = &app.state.store;
    let mut transaction = store.pool.begin().await.unwrap();
    wanderer_kills::store::killmails::upsert(&mut transaction, &batch, &enrichment())
        .await
        .unwrap();
    let jita = enrichment().solar_systems[&JITA].clone();
    systems::upsert(&mut *transaction, &[(*jita).clone()])
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let day = app.get("/api/systems/active").await;
    assert_eq!(day.status, 200, "{}", day.body);
    let systems = day.json()["systems"].clone();
    assert_eq!(systems[0]["solar_system_id"], JITA);
    assert_eq!(systems[0]["name"], "Jita");
    assert_eq!(systems[0]["security_band"], "highsec");
    assert_eq!(
        (&systems[0]["kills"], &systems[0]["total_value"]),
        (&2.into(), &20.0.into())
    );
    assert_eq!(systems[1]["security_band"], "wormhole");
    assert!(systems[1]["name"].is_null());

    let longer = app.get("/api/systems/active?hours=48&limit=1").await.json();
    assert_eq!(longer["systems"].as_array().unwrap().len(), 1);
    assert_eq!(longer["systems"][0]["kills"], 3);
    app.stop().await;
}

#[rstest]
#[case("hours=0", "hours is \"0\", allowed is a whole number from 1 to 168")]
#[case(
    "limit=1001",
    "limit is \"1001\", allowed is a whole number from 1 to 1000"
)]
#[case("hour=1", "hour is not a parameter of this request")]
#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_named(#[case] query: &str, #[case] detail: &str) {
    let app = TestApp::start().await;
    let answer = app.get(&format!("/api/systems/active?{query}")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["detail"], detail);
    app.stop().await;
}
