//! Whose past is wanted: by requests, by configuration, by subscriptions; and what needs no reading.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use wanderer_kills::domain::{Filter, HistoryKey, HistoryKind, SigningSecret};
use wanderer_kills::ingest::preloader::{Wanted, look};
use wanderer_kills::runtime::config::PreloadConfig;
use wanderer_kills::store::history_wishes::{MAX_OPEN, RequestedBy};
use wanderer_kills::store::subscriptions::{self, Format, NewSubscription};

use crate::support::app::{Answer, JITA, TestApp, read};
use crate::support::postgres::text;
use crate::support::preloading::{Scene, past, start_time};

const FORGE: HistoryKey = HistoryKey {
    kind: HistoryKind::Region,
    id: 10_000_002,
};

fn jita() -> HistoryKey {
    HistoryKey::system(JITA)
}

async fn app(scene: &Scene) -> TestApp {
    TestApp::serving(scene.tables.database.url(), scene.clock.clone()).await
}

async fn post(app: &TestApp, body: &Value) -> Answer {
    read(
        app.request(reqwest::Method::POST, "/api/v1/kills/systems")
            .json(body),
    )
    .await
}

fn paths(scene: &Scene) -> Vec<String> {
    scene.asked().into_iter().map(|(_, path)| path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_live_source_has_followed_is_not_asked_for() {
    let scene = Scene::new(past(1, 100)).await;
    let app = app(&scene).await;
    let url = scene.tables.database.url();
    let path = format!("/api/v1/kills/system/{JITA}?since_hours=6");
    let state = async || app.get(&path).await.json()["data"]["backfill"]["state"].clone();
    let followed = |since: &str| {
        format!(
            "INSERT INTO source_cursors (source, position, followed_since, updated_at)
             VALUES ('r2z2', 1, '2026-11-20 {since}Z', '2026-11-20 11:55Z')
             ON CONFLICT (source) DO UPDATE SET followed_since = EXCLUDED.followed_since RETURNING 'ok'"
        )
    };
    text(url, &followed("05:59")).await.unwrap();
    assert_eq!(state().await, "complete");
    text(url, &followed("06:01")).await.unwrap();
    assert_eq!(state().await, "requested");
    // The beginning may be in a day's archive.
    let done =
        "INSERT INTO backfill_days (source, day, state) VALUES ('everef', '2026-11-20', 'done')
        RETURNING 'ok'";
    text(url, done).await.unwrap();
    assert_eq!(state().await, "complete");
    assert_eq!(
        scene
            .tables
            .count("SELECT count(*) FROM history_wishes")
            .await,
        1
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_systems_have_one_state() {
    let scene = Scene::new(past(1, 100)).await;
    let app = app(&scene).await;
    let body = json!({ "system_ids": [JITA, 30_000_144, 5], "since_hours": 12 });
    let data = post(&app, &body).await.json()["data"].clone();
    assert_eq!(
        data["backfill"],
        json!({
            "state": "requested",
            "since": "2026-11-20T00:00:00.000000Z",
            "systems": { "5": "unavailable", "30000142": "requested", "30000144": "requested" },
        })
    );
    scene.rounds().await;
    let data = post(&app, &body).await.json()["data"].clone();
    assert_eq!(data["backfill"]["systems"], json!({ "5": "unavailable" }));
    assert_eq!(scene.asked().len(), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_floods_zkillboard_through_us() {
    let scene = Scene::new(past(1, 1)).await;
    let app = app(&scene).await;
    let url = scene.tables.database.url();
    for impossible in [1, 29_999_999, 30_999_999, 34_000_000] {
        let path = format!("/api/v1/kills/system/{impossible}");
        let data = app.get(&path).await.json()["data"].clone();
        assert_eq!(data["backfill"]["state"], "unavailable");
        assert_eq!(data["backfill"]["reason"], "no solar system has this id");
        assert_eq!(data["cached"], false);
    }
    assert_eq!(
        scene
            .tables
            .count("SELECT count(*) FROM history_wishes")
            .await,
        0
    );
    let fill = format!(
        "WITH filled AS (
            INSERT INTO history_wishes (kind, entity_id, state, requested_by, requested_at, wanted_from,
                next_attempt_at, updated_at)
            SELECT 'character', n, 'requested', 'api', now(), now(), now(), now() FROM generate_series(1, {MAX_OPEN}) n
            RETURNING 1
        ) SELECT count(*)::text FROM filled"
    );
    text(url, &fill).await.unwrap();
    let data = app
        .get(&format!("/api/v1/kills/system/{JITA}"))
        .await
        .json()["data"]
        .clone();
    assert_eq!(data["backfill"]["state"], "unavailable");
    assert!(
        data["backfill"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("the past of too many others"),
        "{data}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_configured_is_kept_filled() {
    let mut scene = Scene::new(past(9, 50)).await;
    scene.deps.preload = PreloadConfig {
        systems: vec![JITA, 7],
        regions: vec![FORGE.id],
        ..PreloadConfig::default()
    };
    let looked = look(&scene.deps).await.unwrap();
    let expected = Wanted {
        entities: 3,
        requested: 2,
        cut_off: false,
    };
    assert_eq!(looked, expected, "there is no system 7");
    assert_eq!(look(&scene.deps).await.unwrap().requested, 0);
    scene.rounds().await;
    let known = scene.row(jita()).await.known.unwrap();
    assert_eq!(known.from, start_time() - TimeDelta::days(7));
    scene.clock.advance(Duration::from_hours(23));
    assert_eq!(look(&scene.deps).await.unwrap().requested, 0);
    scene.clock.advance(Duration::from_hours(2));
    assert_eq!(look(&scene.deps).await.unwrap().requested, 2);
    let asked = scene.asked().len();
    scene.rounds().await;
    assert_eq!(scene.asked().len(), asked + 2, "a page each");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_want_the_past_by_being_there() {
    let scene = Scene::new(past(2, 50)).await;
    let pool = &scene.tables.store.pool;
    let filter = Filter {
        systems: [JITA].into(),
        min_value: Some(1e9),
        ..Filter::default()
    };
    let secret = SigningSecret::new([7; 32]);
    for id in ["a", "b"] {
        let new = NewSubscription {
            subscription_id: id,
            subscriber_id: "me",
            callback_url: "https://example.org/",
            filter: &filter,
            format: Format::Events,
            secret: &secret,
            cursor: wanderer_kills::domain::FeedSequence(0),
            created_by: None,
        };
        subscriptions::insert(pool, &new).await.unwrap();
    }
    let before = subscriptions::fingerprint(pool).await.unwrap();
    assert_eq!(
        look(&scene.deps).await.unwrap().requested,
        1,
        "one for both"
    );
    let row = scene.row(jita()).await;
    assert_eq!(row.requested_by, RequestedBy::Subscription);
    // Who waits for an answer goes first.
    scene.wish(FORGE, TimeDelta::hours(1)).await;
    scene.round().await;
    assert!(
        paths(&scene)[0].contains("/regionID/"),
        "{:?}",
        paths(&scene)
    );
    scene.rounds().await;
    let paused = Some((Utc::now(), "for a test"));
    subscriptions::set_paused(pool, "a", paused).await.unwrap();
    assert_ne!(subscriptions::fingerprint(pool).await.unwrap(), before);
    subscriptions::set_paused(pool, "b", paused).await.unwrap();
    assert_eq!(look(&scene.deps).await.unwrap().entities, 0);
}
