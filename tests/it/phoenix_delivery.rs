//! Phoenix channels: what is delivered, and how often. Numbers are those of the compatibility checks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};
use wanderer_kills::api::Limits;
use wanderer_kills::store;
use wanderer_kills::store::feed::{FeedEntry, FeedKind};
use wanderer_kills::store::killmails::StorableKillmail;

use super::support::app::{JITA, PATIENCE, TestApp, storable};
use super::support::phoenix::{LOBBY, Phoenix, aged, all_ids, ids, recent};
use super::support::served::RealApp;
use super::support::wanderer;

const PERIMETER: i64 = 30_000_144;
const AMARR: i64 = 30_002_187;
const PILOT: i64 = 95_000_001;

fn quiet(systems: &[i64]) -> Value {
    json!({ "systems": systems, "preload": { "enabled": false } })
}

#[tokio::test(flavor = "multi_thread")]
async fn check_07_subscriptions_change_and_are_answered() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    let steps = [
        (
            "subscribe_systems",
            json!({ "systems": [PERIMETER, JITA, PERIMETER] }),
            json!({ "subscribed_systems": [JITA, PERIMETER] }),
        ),
        (
            "subscribe_systems",
            json!({ "systems": [PERIMETER] }),
            json!({ "message": "Already subscribed to all requested systems" }),
        ),
        (
            "subscribe_systems",
            json!({ "systems": [] }),
            json!({ "message": "Already subscribed to all requested systems" }),
        ),
        (
            "unsubscribe_systems",
            json!({ "systems": [JITA] }),
            json!({ "subscribed_systems": [PERIMETER] }),
        ),
        (
            "unsubscribe_systems",
            json!({ "systems": [JITA] }),
            json!({ "message": "Not subscribed to any of the requested systems" }),
        ),
        (
            "subscribe_characters",
            json!({ "character_ids": [PILOT] }),
            json!({ "subscribed_characters": [PILOT] }),
        ),
        (
            "subscribe_characters",
            json!({ "character_ids": [PILOT] }),
            json!({ "message": "Already subscribed to all requested characters" }),
        ),
        (
            "unsubscribe_characters",
            json!({ "character_ids": [PILOT] }),
            json!({ "subscribed_characters": [] }),
        ),
        (
            "unsubscribe_characters",
            json!({ "character_ids": [PILOT] }),
            json!({ "message": "Not subscribed to any of the requested characters" }),
        ),
    ];
    for (number, (event, payload, response)) in (2..).zip(steps) {
        let reference = number.to_string();
        let reply = socket.ask(json!("1"), &reference, event, payload).await;
        let expected = json!({ "status": "ok", "response": response });
        assert_eq!(reply, json!(["1", reference, LOBBY, "phx_reply", expected]));
    }
    let status = socket.ask(json!("1"), "99", "get_status", json!({})).await;
    let status = &status[4]["response"];
    assert_eq!(status["subscribed_systems"], json!([PERIMETER]));
    assert_eq!(status["subscribed_characters"], json!([]));
    assert_eq!(status["subscription_id"].as_str().unwrap().len(), 22);
    assert!(status["user_id"].is_string());
    time(&status["connected_at"]);
    app.append_batch(&[recent(1, JITA, 1), recent(2, PERIMETER, 1)])
        .await;
    assert_eq!(all_ids(&socket.updates_until(2).await), [2]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_in_the_url_becomes_part_of_the_user() {
    let app = TestApp::start().await;
    let mut socket = Phoenix::connect(&app, "vsn=2.0.0&client_identifier=my%20app").await;
    socket.join(json!({})).await;
    let status = socket.ask(json!("1"), "2", "get_status", json!({})).await;
    let user = status[4]["response"]["user_id"].as_str().unwrap();
    assert!(user.starts_with("my_app_"), "{user}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_13_a_kill_arrives_once() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    let cursor = app.append_batch(&[recent(1, JITA, 1)]).await;
    app.append_batch(&[recent(2, JITA, 1)]).await;
    let updates = socket.updates_until(2).await;
    assert_eq!(all_ids(&updates), [1, 2]);
    let update = &updates[0];
    let mut keys: Vec<&String> = update.as_object().unwrap().keys().collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["cursor", "killmails", "preload", "system_id", "timestamp"]
    );
    assert_eq!(
        (&update["system_id"], &update["preload"]),
        (&json!(JITA), &json!(false))
    );
    assert_eq!(update["cursor"], cursor);
    time(&update["timestamp"]);
    app.stop().await;
}

fn time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(text.ends_with('Z'), "{text}");
    DateTime::parse_from_rfc3339(text).unwrap();
}

fn with_pilot(killmail_id: i64, system: i64, victim: bool) -> StorableKillmail {
    let mut killmail = aged(killmail_id, system, 1);
    if victim {
        killmail.victim.character_id = Some(PILOT);
    } else {
        killmail.attackers[0].character_id = Some(PILOT);
    }
    storable(killmail)
}

#[tokio::test(flavor = "multi_thread")]
async fn check_14_systems_or_characters() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    socket
        .join(json!({ "systems": [JITA], "character_ids": [PILOT] }))
        .await;
    let batch = [
        with_pilot(1, PERIMETER, true),
        with_pilot(2, PERIMETER, false),
        recent(3, PERIMETER, 1),
        with_pilot(4, JITA, true),
        recent(5, JITA, 1),
    ];
    app.append_batch(&batch).await;
    let updates = socket.updates_until(5).await;
    assert_eq!(all_ids(&updates), [1, 2, 4, 5]);
    assert_eq!(updates[0]["system_id"], PERIMETER);
    // Without systems, characters still deliver.
    socket
        .ask(
            json!("1"),
            "2",
            "unsubscribe_systems",
            json!({ "systems": [JITA] }),
        )
        .await;
    app.append_batch(&[recent(6, JITA, 1), with_pilot(7, AMARR, false)])
        .await;
    assert_eq!(all_ids(&socket.updates_until(7).await), [7]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_15_a_join_brings_the_recent_past() {
    let app = RealApp::start().await;
    let batch: Vec<StorableKillmail> = (1..=7)
        .map(|id| recent(id, JITA, 10 * (8 - id)))
        .chain([recent(8, JITA, 60 * 25)])
        .collect();
    app.append_batch(&batch).await;
    for (preload, expected) in [
        (json!({}), vec![7, 6, 5, 4, 3]),
        (json!({ "limit_per_system": 2 }), vec![7, 6]),
        (
            json!({ "limit_per_system": 20, "since_hours": 48 }),
            vec![7, 6, 5, 4, 3, 2, 1, 8],
        ),
    ] {
        let mut socket = Phoenix::v2(&app).await;
        let join = json!({ "systems": [PERIMETER, JITA], "preload": preload });
        socket
            .send(json!(["1", "1", LOBBY, "phx_join", join]))
            .await;
        assert_eq!(socket.next().await[3], "phx_reply");
        let frame = socket.next().await;
        let update = &frame[4];
        assert_eq!(
            (&frame[0], &frame[1], &frame[3]),
            (&json!("1"), &json!(null), &json!("killmail_update"))
        );
        assert_eq!(
            (&update["preload"], &update["system_id"]),
            (&json!(true), &json!(JITA))
        );
        assert_eq!(ids(update), expected);
        let complete = socket.next().await;
        assert_eq!(
            complete,
            json!(["1", null, LOBBY, "preload_complete", { "total_kills": expected.len(), "systems_processed": 2, "errors": [] }])
        );
    }
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    app.append_batch(&[recent(9, JITA, 1)]).await;
    assert_eq!(all_ids(&socket.updates_until(9).await), [9]);
    // Systems that come later bring their past as well.
    let mut socket = Phoenix::v2(&app).await;
    socket.join(json!({})).await;
    socket
        .ask(
            json!("1"),
            "2",
            "subscribe_systems",
            json!({ "systems": [JITA] }),
        )
        .await;
    let update = socket.push("killmail_update").await;
    assert_eq!(ids(&update), [9, 7, 6, 5, 4]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_16_an_updated_killmail_is_not_pushed_again() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    let first = recent(1, JITA, 1);
    app.append_batch(std::slice::from_ref(&first)).await;
    let again = FeedEntry {
        killmail_id: 1,
        killmail_time: first.killmail.killmail_time,
        solar_system_id: JITA,
        kind: FeedKind::Updated,
    };
    let mut transaction = app.store.pool.begin().await.unwrap();
    store::feed::append(&mut transaction, &[again])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    app.append_batch(&[recent(2, JITA, 1)]).await;
    assert_eq!(all_ids(&socket.updates_until(2).await), [1, 2]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_20_counts_are_absolute() {
    let app = RealApp::start().await;
    app.append_batch(&[recent(1, JITA, 60), recent(2, JITA, 60 * 25)])
        .await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    app.append_batch(&[recent(3, JITA, 1)]).await;
    let count = wanderer::count(&socket.push("kill_count_update").await);
    assert_eq!(count, Ok((JITA, 2)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_catch_up() {
    let app = TestApp::with_limits(Limits {
        count_every: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    app.append_batch(&[recent(1, JITA, 60), recent(2, JITA, 60 * 25)])
        .await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(quiet(&[JITA])).await;
    let mut last = 0;
    for (batch, expected) in [(3..=3, 2), (4..=6, 5)] {
        let batch: Vec<StorableKillmail> = batch.map(|id| recent(id, JITA, 1)).collect();
        app.append_batch(&batch).await;
        while last < expected {
            let (system, count) = wanderer::count(&socket.push("kill_count_update").await).unwrap();
            assert_eq!(system, JITA);
            assert!(last < count && count <= expected, "{last} {count}");
            last = count;
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_resumes_behind_itself() {
    let app = TestApp::start().await;
    let first: Vec<StorableKillmail> = (1..=200).map(|id| recent(id, JITA, 1)).collect();
    app.append_batch(&first).await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(json!({ "systems": [JITA], "after": 50 })).await;
    let updates = socket.updates_until(200).await;
    assert_eq!(all_ids(&updates), (51..=200).collect::<Vec<_>>());
    assert!(updates.iter().all(|update| update["preload"] == false));
    let mut socket = Phoenix::v2(&app).await;
    let ahead = json!({ "systems": [JITA], "after": 10_000 });
    let reply = socket.ask(json!("1"), "1", "phx_join", ahead).await;
    assert_eq!(reply[4]["status"], "error");
    let reason = reply[4]["response"]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("[cursor_ahead] cursor 10000"),
        "{reason}"
    );
    app.stop().await;
}

/// Kills of two systems arrive while one of them is subscribed to, with its past.
#[tokio::test(flavor = "multi_thread")]
async fn changes_in_flight_lose_and_double_nothing() {
    const KILLS: i64 = 160;
    let app = Arc::new(TestApp::start().await);
    let mut socket = Phoenix::v2(&*app).await;
    let everything = json!({ "enabled": true, "limit_per_system": 100, "since_hours": 24 });
    socket
        .join(json!({ "systems": [JITA], "character_ids": [PILOT], "preload": everything }))
        .await;
    let writer = Arc::clone(&app);
    let writing = tokio::spawn(async move {
        for id in 1..=KILLS {
            let system = if id % 2 == 0 { JITA } else { PERIMETER };
            // Some are wanted for their pilot before their system is.
            let kill = if id % 5 == 0 {
                with_pilot(id, system, true)
            } else {
                recent(id, system, 1)
            };
            writer.append_batch(&[kill]).await;
        }
    });
    let mut seen = all_ids(&socket.updates_until(20).await);
    let subscribe = json!(["1", "2", LOBBY, "subscribe_systems", { "systems": [PERIMETER] }]);
    socket.send(subscribe).await;
    while seen.len() < usize::try_from(KILLS).unwrap() {
        let frame = tokio::time::timeout(PATIENCE, socket.next()).await;
        let frame = frame.unwrap_or_else(|_| panic!("only {} of {KILLS}", seen.len()));
        if frame[3] == "killmail_update" {
            seen.extend(ids(&frame[4]));
        }
    }
    writing.await.unwrap();
    let marker = recent(KILLS + 1, JITA, 1);
    app.append_batch(&[marker]).await;
    seen.extend(all_ids(&socket.updates_until(KILLS + 1).await));
    let distinct: HashSet<i64> = seen.iter().copied().collect();
    assert_eq!(seen.len(), distinct.len(), "doubled");
    assert_eq!(distinct, (1..=KILLS + 1).collect());
    Arc::into_inner(app).unwrap().stop().await;
}
