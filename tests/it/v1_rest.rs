//! The REST interface of WandererKills, by the numbers of its compatibility checks.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use wanderer_kills::api::limits::MAX_BULK_SYSTEMS;
use wanderer_kills::domain::names::{EntityKey, EntityKind, EntityName};
use wanderer_kills::domain::{Enrichment, Killmail, Zkb, wire};
use wanderer_kills::store::killmails::StorableKillmail;

use super::support::app::{Answer, JITA, TestApp, killmail, read, storable};
use super::support::phoenix::Phoenix;
use super::support::served::RealApp;
use super::support::sse::Blocks;

const PERIMETER: i64 = 30_000_144;

/// A killmail of `hours` ago.
fn recent(id: i64, system: i64, hours: i64) -> Killmail {
    let now: DateTime<Utc> = Utc::now();
    Killmail {
        killmail_time: now - TimeDelta::hours(hours),
        zkb: Some(Zkb {
            total_value: Some(1e6),
            ..Zkb::default()
        }),
        ..killmail(id, system)
    }
}

async fn post(app: &RealApp, path: &str, body: &Value) -> Answer {
    read(app.request(Method::POST, path).json(body)).await
}

fn ids(list: &Value) -> Vec<i64> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|kill| kill["killmail_id"].as_i64().unwrap())
        .collect()
}

fn assert_coded(answer: &Answer, status: u16, code: &str, message: &str) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(
        body,
        json!({
            "error": message,
            "code": code,
            "details": null,
            "timestamp": body["timestamp"],
        })
    );
    assert_timestamp(&body["timestamp"]);
    assert!(!answer.header("x-request-id").is_empty());
}

/// ISO 8601 with microseconds and `Z`.
fn assert_timestamp(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(text.parse::<DateTime<Utc>>().is_ok(), "{text}");
    assert_eq!(text.len(), "2025-12-03T18:21:07.123456Z".len(), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_01_ping() {
    let app = RealApp::start().await;
    let answer = app.get("/ping").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "pong"));
    assert!(answer.header("content-type").starts_with("text/plain"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_21_kills_of_a_system() {
    let app = RealApp::start().await;
    let kills = [(1, 1), (2, 30), (3, 2), (4, 60), (5, 3), (6, 4)];
    let mut batch: Vec<StorableKillmail> = kills
        .iter()
        .map(|(id, hours)| storable(recent(*id, JITA, *hours)))
        .collect();
    batch.push(storable(recent(7, PERIMETER, 1)));
    app.append_batch(&batch).await;

    let answer = app
        .get(&format!(
            "/api/v1/kills/system/{JITA}?limit=3&since_hours=48"
        ))
        .await;
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(ids(&body["data"]["kills"]), [1, 3, 5]);
    assert_eq!(body["data"]["kills"][0]["zkb"]["totalValue"], 1e6);
    assert_eq!(body["data"]["cached"], false);
    assert_eq!(body["data"]["backfill"]["state"], "unavailable");
    assert_timestamp(&body["data"]["backfill"]["since"]);
    assert_timestamp(&body["timestamp"]);
    assert_timestamp(&body["data"]["timestamp"]);
    assert!(!answer.header("x-request-id").is_empty());

    let day = app.get(&format!("/api/v1/kills/system/{JITA}")).await;
    assert_eq!(ids(&day.json()["data"]["kills"]), [1, 3, 5, 6]);
    let all = app
        .get(&format!("/api/v1/kills/system/{JITA}?since_hours=999999"))
        .await;
    assert_eq!(ids(&all.json()["data"]["kills"]), [1, 3, 5, 6, 2, 4]);
    let none = app.get("/api/v1/kills/system/1").await;
    assert_eq!(none.json()["data"]["kills"], json!([]));
    let cached = app.get(&format!("/api/v1/kills/cached/{JITA}")).await;
    assert_eq!(ids(&cached.json()["data"]["kills"]), [1, 3, 5, 6, 2]);
    assert_eq!(cached.json()["data"]["cached"], true);
    let count = app.get(&format!("/api/v1/kills/count/{JITA}")).await.json();
    assert_eq!(
        (&count["data"]["system_id"], &count["data"]["count"]),
        (&json!(JITA), &json!(4))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_21_anything_wrong_is_an_invalid_system_id() {
    let app = RealApp::start().await;
    for path in [
        "/api/v1/kills/system/abc",
        "/api/v1/kills/system/30000142?limit=0",
        "/api/v1/kills/system/30000142?limit=1001",
        "/api/v1/kills/system/30000142?since_hours=0",
        "/api/v1/kills/system/0",
        "/api/v1/kills/system/-5",
        "/api/v1/kills/system/30000142x",
        "/api/v1/kills/system/%FF",
        "/api/v1/kills/cached/abc",
        "/api/v1/kills/count/1.5",
    ] {
        let answer = app.get(path).await;
        assert_coded(
            &answer,
            400,
            "INVALID_SYSTEM_ID",
            "Invalid system ID format",
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_22_kills_of_many_systems() {
    let app = RealApp::start().await;
    let batch: Vec<StorableKillmail> = [(1, JITA, 1), (2, JITA, 2), (3, PERIMETER, 1)]
        .into_iter()
        .map(|(id, system, hours)| storable(recent(id, system, hours)))
        .collect();
    app.append_batch(&batch).await;
    let path = "/api/v1/kills/systems";
    let body = json!({ "system_ids": [JITA, 30_000_145, PERIMETER, JITA], "limit": "1" });
    let answer = post(&app, path, &body).await.json();
    let systems = answer["data"]["systems_kills"].as_object().unwrap();
    assert_eq!(systems.len(), 3);
    assert_eq!(ids(&systems["30000142"]), [1]);
    assert_eq!(ids(&systems["30000144"]), [3]);
    assert_eq!(systems["30000145"], json!([]));
    assert_timestamp(&answer["data"]["timestamp"]);
    assert_timestamp(&answer["timestamp"]);

    let invalid = ("INVALID_SYSTEM_IDS", "Invalid system IDs");
    for (body, (code, message)) in [
        (json!({ "system_ids": [] }), invalid),
        (json!({}), invalid),
        (json!([1]), invalid),
        (json!({ "system_ids": ["x"] }), invalid),
        (json!({ "system_ids": [1.5] }), invalid),
        (json!({ "system_ids": "30000142" }), invalid),
        (
            json!({ "system_ids": [1], "limit": 0 }),
            ("INVALID_PARAMETERS", "Invalid parameters"),
        ),
        (
            json!({ "system_ids": [1], "since_hours": null }),
            ("INVALID_PARAMETERS", "Invalid parameters"),
        ),
    ] {
        assert_coded(&post(&app, path, &body).await, 400, code, message);
    }
    let many: Vec<usize> = (1..=MAX_BULK_SYSTEMS + 1).collect();
    assert_coded(
        &post(&app, path, &json!({ "system_ids": many })).await,
        400,
        "INVALID_SYSTEM_IDS",
        "Too many system IDs (max: 1000)",
    );
    app.stop().await;
}

/// Names for everyone on [`killmail`].
fn named() -> Enrichment {
    let name = |kind, id, name: &str, ticker: Option<&str>| {
        let key = EntityKey { kind, id };
        let name = EntityName {
            name: name.to_owned(),
            ticker: ticker.map(str::to_owned),
        };
        (key, name.into())
    };
    Enrichment {
        names: [
            name(EntityKind::Character, 95_465_499, "Some Pilot", None),
            name(
                EntityKind::Corporation,
                98_000_001,
                "Some Corp",
                Some("SCORP"),
            ),
        ]
        .into(),
        ..Enrichment::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_23_one_killmail() {
    let app = RealApp::start().await;
    let one = recent(131_234_567, JITA, 1);
    let document = wire::document(&one, &named());
    app.append_batch(&[StorableKillmail {
        document,
        ..storable(one)
    }])
    .await;
    let body = app.get("/api/v1/killmail/131234567").await.json();
    let victim = &body["data"]["victim"];
    assert_eq!(victim["character_name"], "Some Pilot");
    assert_eq!(victim["corporation_ticker"], "SCORP");
    assert_eq!(
        victim["corporation"],
        json!({ "name": "Some Corp", "ticker": "SCORP" })
    );
    assert_eq!(victim.get("alliance"), None);
    assert_eq!(body["data"]["attackers"].as_array().unwrap().len(), 1);
    assert_timestamp(&body["timestamp"]);
    let unknown = app.get("/api/v1/killmail/1").await;
    assert_coded(&unknown, 404, "NOT_FOUND", "Killmail not found");
    let invalid = app.get("/api/v1/killmail/abc").await;
    assert_coded(
        &invalid,
        400,
        "INVALID_KILLMAIL_ID",
        "Invalid killmail ID format",
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_24_unmatched_paths() {
    let app = RealApp::start().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let method: Method = method.parse().unwrap();
        for path in ["/api/v1/nope", "/api/v1/a/b/c", "/api/v1", "/api/v1/"] {
            let answer = read(app.request(method.clone(), path)).await;
            assert_coded(&answer, 404, "NOT_FOUND", "Not Found");
        }
        let plain = read(app.request(method, "/nope")).await;
        assert_eq!(plain.status, 404);
        assert_eq!(
            plain.json(),
            json!({ "error": "Not Found", "status": "404" })
        );
    }
    let wrong_method = read(app.request(Method::DELETE, "/api/v1/kills/system/30000142")).await;
    assert_coded(&wrong_method, 404, "NOT_FOUND", "Not Found");
    let wrong_method = read(app.request(Method::POST, "/api/v1/kills/stream")).await;
    assert_coded(&wrong_method, 404, "NOT_FOUND", "Not Found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_25_the_fallback_endpoints_of_the_notifier() {
    let app = RealApp::start().await;
    let mut other = recent(3, PERIMETER, 1);
    other.victim.character_id = Some(7);
    other.attackers[0].character_id = Some(95_465_499);
    let batch = [recent(1, JITA, 1), recent(2, JITA, 2), other].map(storable);
    app.append_batch(&batch).await;

    let path = "/api/v1/systems/bulk/killmails";
    let body = json!({ "system_ids": [JITA, 30_000_145], "hours": 1, "limit_per_system": 20 });
    let bulk = post(&app, path, &body).await;
    assert_eq!(bulk.status, 200);
    let bulk = bulk.json();
    assert_eq!(bulk.get("data"), None);
    let systems = bulk["systems"].as_object().unwrap();
    assert!(systems.keys().all(|key| key.parse::<i64>().is_ok()));
    assert_eq!(systems["30000145"], json!([]));
    // The first is older than an hour by the time it is asked for.
    let day = json!({ "system_ids": [JITA], "hours": 24, "limit_per_system": 20 });
    assert_eq!(
        ids(&post(&app, path, &day).await.json()["systems"]["30000142"]),
        [1, 2]
    );

    let list = app
        .get(&format!(
            "/api/v1/systems/{JITA}/killmails?hours=24&limit=1"
        ))
        .await;
    assert_eq!(ids(&list.json()["kills"]), [1]);
    // As victim and as attacker, newest first.
    let list = app
        .get("/api/v1/characters/95465499/killmails?hours=24&limit=50")
        .await;
    let mut found = ids(&list.json()["kills"]);
    assert_eq!(found.pop(), Some(2));
    found.sort_unstable();
    assert_eq!(found, [1, 3]);
    assert_coded(
        &app.get("/api/v1/characters/x/killmails").await,
        400,
        "INVALID_CHARACTER_ID",
        "Invalid character ID format",
    );
    let health = app.get("/api/health").await;
    assert_eq!(health.status, 200);
    assert!(health.json().is_object());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_29_health_and_status_have_their_keys() {
    let app = RealApp::start().await;
    app.append(1..=3, JITA).await;
    let health = app.get("/health").await;
    assert_eq!(health.status, 200);
    for key in ["healthy", "status", "details", "timestamp"] {
        assert!(health.json().get(key).is_some(), "{key}");
    }
    let status = app.get("/status").await;
    assert_eq!(status.status, 200);
    let status = status.json();
    assert_timestamp(&status["timestamp"]);
    for key in [
        "system",
        "websocket",
        "processing",
        "storage",
        "api",
        "sse",
        "parser_stats",
    ] {
        assert!(status["metrics"][key].is_object(), "{key}");
    }
    assert!(status["summary"]["uptime_hours"].is_u64());
    assert!(status["summary"]["killmails_stored"].is_i64());
    assert!(status["summary"]["memory_usage_mb"].as_u64() > Some(0));
    assert!(status["metrics"]["system"]["memory"]["total"].as_u64() > Some(1 << 20));
    assert_eq!(status["summary"]["active_preload_tasks"], 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_that_are_open_connections_are_counted() {
    let app = TestApp::start().await;
    let joined = json!({ "systems": [JITA], "preload": { "enabled": false } });
    let mut socket = Phoenix::v2(&app).await;
    socket.join(joined).await;
    let mut stream = Blocks::open(&app, "/api/v1/kills/stream", None).await;
    app.append([1], JITA).await;
    socket.push("killmail_update").await;
    assert_eq!(stream.event().await.killmail_id(), 1);
    let stats = app.get("/api/v1/subscriptions/stats").await.json()["data"].clone();
    assert_eq!(stats["websocket_subscriptions"], 1);
    assert_eq!(stats["sse_subscriptions"], 1);
    assert_eq!(stats["webhook_subscriptions"], 0);
    assert_eq!(stats["total_subscriptions"], 2);
    assert!(stats["memory_usage"].as_u64() > Some(1 << 20), "{stats}");
    app.stop().await;
}
