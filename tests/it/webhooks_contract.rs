//! Webhook subscriptions in WandererKills' form, against the real binary. The number is that of the compatibility
//! checks. What arrives is verified besides by the Standard Webhooks library of npm, where that is installed.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::support::app::{Answer, JITA, killmail, read, storable};
use crate::support::real_data::same;
use crate::support::scripts::node;
use crate::support::served::RealApp;
use crate::support::webhook::{Manner, Received, Receiver};

const SUBSCRIPTIONS: &str = "/api/v1/subscriptions";
const AMARR: i64 = 30_002_187;

/// The real binary, with webhooks allowed to the receivers of this machine.
async fn app() -> RealApp {
    RealApp::with_env(&[("WK_WEBHOOK_ALLOW", "127.0.0.0/8")]).await
}

async fn subscribe(app: &RealApp, body: &Value) -> Answer {
    read(app.request(reqwest::Method::POST, SUBSCRIPTIONS).json(body)).await
}

/// Subscribes a receiver to Jita; id and secret.
async fn subscribed(app: &RealApp, receiver: &Receiver) -> (String, String) {
    let body = json!({
        "subscriber_id": "map-1", "system_ids": [JITA], "callback_url": receiver.url("/hook"),
    });
    let made = subscribe(app, &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let data = made.json()["data"].clone();
    assert_eq!(data["message"], "Subscription created successfully");
    let text = |key: &str| data[key].as_str().unwrap().to_owned();
    (text("subscription_id"), text("secret"))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_26_a_kill_is_posted_once_in_the_known_form() {
    let app = app().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let (id, _) = subscribed(&app, &receiver).await;
    assert_eq!(id.len(), 22);
    app.append([1], AMARR).await;
    app.append([2], JITA).await;
    let arrived = receiver.next().await;
    assert_eq!(arrived.path, "/hook");
    assert_eq!(arrived.header("content-type"), "application/json");
    assert!(arrived.header("user-agent").starts_with("wanderer-kills/"));
    let body = arrived.json();
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["kills", "system_id", "timestamp", "type"]);
    assert_eq!(
        (&body["type"], &body["system_id"]),
        (&json!("killmail_update"), &json!(JITA))
    );
    assert_eq!(body["kills"].as_array().unwrap().len(), 1);
    assert_eq!(body["kills"][0]["killmail_id"], 2);
    let time = body["timestamp"].as_str().unwrap();
    assert!(DateTime::parse_from_rfc3339(time).is_ok() && time.ends_with('Z'));

    // The next message is about the next kill: the first came once.
    app.append([3], JITA).await;
    let next = receiver.next().await.json();
    assert_eq!(next["kills"].as_array().unwrap().len(), 1);
    assert_eq!(next["kills"][0]["killmail_id"], 3);
    app.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_26_subscriptions_are_listed_counted_and_ended() {
    let app = app().await;
    let receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let (id, _) = subscribed(&app, &receiver).await;
    let characters = json!({
        "subscriber_id": "map-2", "character_ids": [9, 7, 9, "x"],
        "callback_url": receiver.url("/"),
    });
    assert_eq!(subscribe(&app, &characters).await.status, 201);
    let list = app.get(SUBSCRIPTIONS).await.json();
    assert_eq!(list["data"]["count"], 2);
    let listed = list["data"]["subscriptions"].as_array().unwrap();
    for one in listed {
        let keys: Vec<&String> = one.as_object().unwrap().keys().collect();
        let known = [
            "callback_url",
            "character_ids",
            "created_at",
            "id",
            "subscriber_id",
            "system_ids",
            "type",
            "updated_at",
        ];
        assert_eq!(keys, known);
        assert_eq!(one["type"], "webhook");
    }
    let of = |subscriber: &str| {
        let found = listed.iter().find(|one| one["subscriber_id"] == subscriber);
        found.unwrap()
    };
    assert_eq!(of("map-1")["id"], id.as_str());
    assert_eq!(of("map-1")["system_ids"], json!([JITA]));
    assert_eq!(of("map-2")["character_ids"], json!([7, 9]));
    let stats = app.get(&format!("{SUBSCRIPTIONS}/stats")).await.json();
    for (key, count) in [
        ("total_subscriptions", 2),
        ("webhook_subscriptions", 2),
        ("websocket_subscriptions", 0),
        ("sse_subscriptions", 0),
        ("total_systems", 1),
        ("total_characters", 2),
    ] {
        assert_eq!(stats["data"][key], count, "{key}");
    }
    assert!(stats["data"]["memory_usage"].is_i64());
    for (subscriber, left) in [("map-1", 1), ("nobody", 1), ("map-2", 0)] {
        let path = format!("{SUBSCRIPTIONS}/{subscriber}");
        let gone = read(app.request(reqwest::Method::DELETE, &path)).await;
        assert_eq!(gone.status, 200);
        let message = "Successfully unsubscribed";
        assert_eq!(
            gone.json(),
            json!({ "data": { "message": message, "subscriber_id": subscriber } })
        );
        assert_eq!(app.get(SUBSCRIPTIONS).await.json()["data"]["count"], left);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_26_a_wrong_subscription_is_refused_in_the_known_words() {
    let app = app().await;
    let good = json!({
        "subscriber_id": "m", "callback_url": "http://127.0.0.1/", "system_ids": [JITA],
    });
    let private = "callback_url must not point to a private or local address";
    let url = "callback_url must be a valid HTTP/HTTPS URL";
    let nothing = "At least one system_id or character_id is required";
    let many = |count: i64| json!((1..=count).collect::<Vec<_>>());
    for (member, value, message) in [
        ("subscriber_id", json!(null), "subscriber_id is required"),
        ("subscriber_id", json!(""), "subscriber_id is required"),
        ("callback_url", json!(null), "callback_url is required"),
        ("callback_url", json!("ftp://example.org/"), url),
        ("callback_url", json!("http://"), url),
        ("callback_url", json!("http://10.0.0.1/"), private),
        ("callback_url", json!("http://169.254.169.254/"), private),
        ("callback_url", json!("http://[::1]/"), private),
        (
            "system_ids",
            json!([-1]),
            "system_ids must be an array of positive integers",
        ),
        (
            "character_ids",
            json!([0]),
            "character_ids must be an array of positive integers",
        ),
        ("system_ids", json!([]), nothing),
        ("system_ids", json!("30000142"), nothing),
        (
            "system_ids",
            many(101),
            "Maximum 100 system_ids allowed per subscription",
        ),
        (
            "character_ids",
            many(1_001),
            "Maximum 1000 character_ids allowed per subscription",
        ),
    ] {
        let mut body = good.clone();
        body[member] = value;
        let refused = subscribe(&app, &body).await;
        assert_eq!(refused.status, 400, "{member}: {}", refused.body);
        let expected = json!({ "error": { "message": message, "details": message } });
        assert_eq!(refused.json(), expected, "{member}");
    }
    assert_eq!(app.get(SUBSCRIPTIONS).await.json()["data"]["count"], 0);
    app.stop().await;
}

/// What the library says to a message with this body.
async fn verdict(secret: &str, arrived: &Received, body: &[u8], headers: &Value) -> Option<Value> {
    let arrived = json!({
        "secret": secret,
        "headers": headers,
        "body": String::from_utf8(body.to_vec()).unwrap(),
        "path": arrived.path,
    });
    node("standardwebhooks.mjs", &arrived).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standard_webhooks_library_accepts_what_is_sent_and_nothing_else() {
    let app = app().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let (_, secret) = subscribed(&app, &receiver).await;
    // Text beyond ASCII is signed as the bytes that are sent.
    let mut one = storable(killmail(1, JITA));
    one.document = one
        .document
        .replacen('{', r#"{"solar_system_name":"Jita – ☄","#, 1);
    app.append_batch(&[one]).await;
    let arrived = receiver.next().await;
    app.stop().await;
    let headers = json!(arrived.headers);
    let Some(accepted) = verdict(&secret, &arrived, &arrived.body, &headers).await else {
        return;
    };
    same(&arrived.json(), &accepted["payload"], "payload");
    assert_eq!(accepted["payload"]["kills"][0]["killmail_id"], 1);

    let mut tampered = arrived.body.clone();
    let digit = tampered.iter().position(u8::is_ascii_digit).unwrap();
    tampered[digit] ^= 1;
    let mut old = headers.clone();
    old["webhook-timestamp"] = json!("1600000000");
    let mut other = headers.clone();
    other["webhook-id"] = json!("msg_other");
    let foreign = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for (secret, body, headers, reason) in [
        (&*secret, &tampered, &headers, "No matching signature found"),
        (&*secret, &arrived.body, &old, "Message timestamp too old"),
        (
            &*secret,
            &arrived.body,
            &other,
            "No matching signature found",
        ),
        (
            foreign,
            &arrived.body,
            &headers,
            "No matching signature found",
        ),
    ] {
        let refused = verdict(secret, &arrived, body, headers).await.unwrap();
        assert_eq!(refused, json!({ "refused": reason }));
    }
}
