//! Webhooks from the feed to a receiver: what arrives, in which order, and how often.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::app::{Answer, JITA, TestApp, read};
use crate::support::webhook::{Deliverer, Manner, Receiver, quick};

const AMARR: i64 = 30_002_187;

async fn app() -> TestApp {
    TestApp::with_webhooks_to("127.0.0.0/8").await
}

async fn post(app: &TestApp, path: &str, body: &Value) -> Answer {
    read(app.request(reqwest::Method::POST, path).json(body)).await
}

/// A subscription in the old form; id and secret.
async fn subscribe(app: &TestApp, url: &str) -> (String, String) {
    let body = json!({
        "subscriber_id": "map-1", "system_ids": [JITA, AMARR], "callback_url": url,
    });
    let answer = post(app, "/api/v1/subscriptions", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    assert_eq!(made["subscription_id"], made["data"]["subscription_id"]);
    assert_eq!(made["data"]["message"], "Subscription created successfully");
    (
        made["subscription_id"].as_str().unwrap().to_owned(),
        made["data"]["secret"].as_str().unwrap().to_owned(),
    )
}

async fn deliveries(app: &TestApp, id: &str, secret: &str) -> Vec<Value> {
    let path = format!("/api/subscriptions/{id}/deliveries");
    let answer = read(app.request(reqwest::Method::GET, &path).bearer_auth(secret)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["deliveries"].as_array().unwrap().clone()
}

/// Waits until the journal has so many entries, newest first.
async fn journal(app: &TestApp, id: &str, secret: &str, entries: usize) -> Vec<Value> {
    let deadline = tokio::time::Instant::now() + crate::support::app::PATIENCE;
    loop {
        let found = deliveries(app, id, secret).await;
        let done = found
            .iter()
            .filter(|one| one["outcome"] != "queued")
            .count();
        if done >= entries {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_kill_is_posted_once_in_the_old_form_and_signed() {
    let app = app().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let (id, secret) = subscribe(&app, &receiver.url("/hook?key=1")).await;
    let deliverer = Deliverer::start(&app, quick());
    app.append([1, 2], JITA).await;
    app.append([3], 30_000_001).await;

    let arrived = receiver.next().await;
    assert_eq!(arrived.path, "/hook?key=1");
    assert_eq!(arrived.header("content-type"), "application/json");
    assert!(arrived.header("user-agent").starts_with("wanderer-kills/"));
    let body = arrived.json();
    assert_eq!(body["type"], "killmail_update");
    assert_eq!(body["system_id"], JITA);
    assert_eq!(body["kills"].as_array().unwrap().len(), 2);
    assert_eq!(body["kills"][0]["killmail_id"], 1);
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));

    // Another implementation than the one that signed.
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let mut signed = format!(
        "{}.{}.",
        arrived.header("webhook-id"),
        arrived.header("webhook-timestamp")
    )
    .into_bytes();
    signed.extend_from_slice(&arrived.body);
    let signature = arrived
        .header("webhook-signature")
        .strip_prefix("v1,")
        .unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    ring::hmac::verify(&key, &signed, &signature).unwrap();

    let entries = journal(&app, &id, &secret, 1).await;
    assert_eq!(entries[0]["outcome"], "delivered");
    assert_eq!(entries[0]["status"], 200);
    assert_eq!(entries[0]["message_id"], arrived.header("webhook-id"));
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn systems_of_a_batch_are_posts_of_their_own_and_a_failure_repeats_only_what_failed() {
    let app = app().await;
    let mut receiver =
        Receiver::start(Manner::Statuses(vec![200, 500, 200], "retry-after: 0\r\n")).await;
    let (id, secret) = subscribe(&app, &receiver.url("/")).await;
    app.append([1], JITA).await;
    app.append([2], AMARR).await;
    app.append([3], JITA).await;
    let settings = wanderer_kills::feed::webhooks::Settings {
        ladder: vec![std::time::Duration::from_millis(50)],
        ..quick()
    };
    let deliverer = Deliverer::start(&app, settings);
    let first = receiver.next().await;
    assert_eq!(first.json()["kills"].as_array().unwrap().len(), 2);
    let second = receiver.next().await;
    assert_eq!(second.json()["system_id"], AMARR);
    let third = receiver.next().await;
    assert_eq!(third.header("webhook-id"), second.header("webhook-id"));
    let entries = journal(&app, &id, &secret, 3).await;
    let outcomes: Vec<&Value> = entries.iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes, ["delivered", "failed", "delivered"]);
    assert_eq!(entries[0]["attempt"], 2);
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let app = app().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let (id, secret) = subscribe(&app, &receiver.url("/")).await;
    let deliverer = Deliverer::start(&app, quick());
    app.append([1], JITA).await;
    assert_eq!(receiver.next().await.json()["kills"][0]["killmail_id"], 1);
    journal(&app, &id, &secret, 1).await;
    deliverer.stop().await;
    app.append([2, 3], JITA).await;
    let app = app.restart().await;
    let deliverer = Deliverer::start(&app, quick());
    let kills = receiver.next().await.json()["kills"].clone();
    let ids: Vec<&Value> = kills
        .as_array()
        .unwrap()
        .iter()
        .map(|kill| &kill["killmail_id"])
        .collect();
    assert_eq!(ids, [&json!(2), &json!(3)]);
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn a_dead_receiver_does_not_delay_another() {
    let app = app().await;
    let mut dead = Receiver::start(Manner::Silent).await;
    let mut alive = Receiver::start(Manner::Statuses(vec![200], "")).await;
    subscribe(&app, &dead.url("/")).await;
    subscribe(&app, &alive.url("/")).await;
    let deliverer = Deliverer::start(&app, quick());
    app.append([1], JITA).await;
    dead.next().await;
    alive.next().await;
    for id in 2..6 {
        app.append([id], JITA).await;
        assert_eq!(alive.next().await.json()["kills"][0]["killmail_id"], id);
    }
    assert!(dead.is_idle(), "the first message is still under way");
    deliverer.stop().await;
}

#[tokio::test]
async fn our_own_form_tests_and_redeliveries() {
    let app = app().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let body = json!({ "callback_url": receiver.url("/key"), "filter": { "systems": [JITA] } });
    let answer = post(&app, "/api/subscriptions", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    assert_eq!(
        (&made["format"], &made["status"]),
        (&json!("events"), &json!("active"))
    );
    let deliverer = Deliverer::start(&app, quick());
    let last = app.append([1], JITA).await;
    let first = receiver.next().await;
    let page = first.json();
    assert_eq!(
        (&page["cursor"], &page["has_more"]),
        (&json!(last), &json!(false))
    );
    assert_eq!(page["events"][0]["kind"], "new");

    let entries = journal(&app, id, secret, 1).await;
    let number = &entries[0]["delivery_id"];
    let path = format!("/api/subscriptions/{id}/deliveries/{number}/redeliver");
    let answer = read(
        app.request(reqwest::Method::POST, &path)
            .bearer_auth(secret),
    )
    .await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let again = receiver.next().await;
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));

    let path = format!("/api/subscriptions/{id}/test");
    let answer = read(
        app.request(reqwest::Method::POST, &path)
            .bearer_auth(secret),
    )
    .await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let test = receiver.next().await;
    assert_eq!(test.json()["events"], json!([]));
    assert!(test.header("webhook-id").starts_with("test_"));
    journal(&app, id, secret, 3).await;

    let shown = app.get(&format!("/api/subscriptions/{id}")).await;
    assert_eq!(shown.json()["callback_url"], "http://127.0.0.1/");
    assert!(!shown.body.contains(secret) && !shown.body.contains("secret"));
    let path = format!("/api/subscriptions/{id}/pause");
    for token in ["", "whsec_AAAA"] {
        let answer = read(app.request(reqwest::Method::POST, &path).bearer_auth(token)).await;
        assert_eq!(answer.status, 401, "{token}");
    }
    deliverer.stop().await;
}

#[tokio::test]
async fn a_paused_subscription_waits_and_a_changed_one_obeys() {
    let app = app().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let (id, secret) = subscribe(&app, &receiver.url("/")).await;
    let deliverer = Deliverer::start(&app, quick());
    let act = async |method: reqwest::Method, path: &str, body: Value| {
        let path = format!("/api/subscriptions/{id}{path}");
        let request = app.request(method, &path).bearer_auth(&secret).json(&body);
        let answer = read(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let paused = act(reqwest::Method::POST, "/pause", json!(null)).await;
    assert_eq!(paused["status"], "paused");
    assert_eq!(paused["paused_reason"], "paused by its owner");
    app.append([1], JITA).await;
    app.append([2], AMARR).await;
    let change = json!({ "filter": { "systems": [AMARR] }, "format": "events" });
    let changed = act(reqwest::Method::PATCH, "", change).await;
    assert_eq!(changed["filter"]["systems"], json!([AMARR]));
    let resumed = act(reqwest::Method::POST, "/resume", json!(null)).await;
    assert_eq!(resumed["status"], "active");
    let events = receiver.next().await.json()["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["killmail"]["killmail_id"], 2);
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn the_old_lists_count_and_hide_addresses() {
    let app = app().await;
    let url = "http://127.0.0.1:1/hooks/secret-key";
    let (id, secret) = subscribe(&app, url).await;
    let listed = app.get("/api/v1/subscriptions").await;
    let body = listed.json();
    assert_eq!(body["data"]["count"], 1);
    let one = &body["data"]["subscriptions"][0];
    assert_eq!(one["id"], id.as_str());
    assert_eq!(one["subscriber_id"], "map-1");
    assert_eq!(one["type"], "webhook");
    assert_eq!(one["system_ids"], json!([JITA, AMARR]));
    assert_eq!(one["character_ids"], json!([]));
    assert_eq!(one["callback_url"], "http://127.0.0.1/");
    assert!(!listed.body.contains("secret-key") && !listed.body.contains(&secret));
    let stats = app.get("/api/v1/subscriptions/stats").await.json();
    assert_eq!(stats["data"]["webhook_subscriptions"], 1);
    assert_eq!(stats["data"]["total_systems"], 2);
    for _ in 0..2 {
        let gone = read(app.request(reqwest::Method::DELETE, "/api/v1/subscriptions/map-1")).await;
        assert_eq!(gone.status, 200);
        let expected = json!({ "data": {
            "message": "Successfully unsubscribed", "subscriber_id": "map-1",
        } });
        assert_eq!(gone.json(), expected);
    }
    assert_eq!(
        app.get("/api/v1/subscriptions").await.json()["data"]["count"],
        0
    );
    let refused = json!({
        "subscriber_id": "m", "system_ids": [1], "callback_url": "http://10.0.0.1/",
    });
    let refused = post(&app, "/api/v1/subscriptions", &refused).await;
    assert_eq!(refused.status, 400);
    let message = "callback_url must not point to a private or local address";
    assert_eq!(
        refused.json(),
        json!({ "error": { "message": message, "details": message } })
    );
    let broken = app
        .request(reqwest::Method::POST, "/api/v1/subscriptions")
        .header("content-type", "application/json")
        .body("{");
    let broken = read(broken).await;
    assert_eq!(
        broken.json(),
        json!({ "error": "Bad Request", "status": "400" })
    );
}
