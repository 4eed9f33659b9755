//! Phoenix channels: frames, joins and their ends. Numbers are those of the compatibility checks.

use rstest::rstest;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use futures::SinkExt;

use super::support::app::JITA;
use super::support::phoenix::{LOBBY, Phoenix, recent};
use super::support::served::RealApp;

const PERIMETER: i64 = 30_000_144;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(|key| &**key)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn check_02_the_version_decides_and_the_origin_does_not() {
    let app = RealApp::start().await;
    for (query, origin, status) in [
        ("vsn=2.0.0&heartbeat=30000", None, 101),
        ("vsn=2.0.0", Some("http://localhost"), 101),
        ("vsn=1.0.0&client_identifier=x", None, 101),
        ("", None, 101),
        ("vsn=3.0.0", None, 403),
        ("vsn=x", None, 403),
    ] {
        assert_eq!(
            Phoenix::status(&app, query, origin).await,
            status,
            "{query}"
        );
    }
    let mut socket = Phoenix::connect(&app, "").await;
    let heartbeat = json!({ "topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "1" });
    socket.send(heartbeat).await;
    assert!(socket.next().await.is_object());
    let refused = app.get("/socket/websocket?vsn=x").await;
    assert_eq!((refused.status, &*refused.body), (403, ""));
    assert_eq!(app.get("/socket/websocket").await.status, 400);
    let posted = app.request(reqwest::Method::POST, "/socket/websocket");
    let posted = super::support::app::read(posted).await;
    assert_eq!((posted.status, &*posted.body), (400, ""));
    for nothing in ["/socket", "/socket/", "/socket/longpoll"] {
        let answer = app.get(nothing).await;
        assert_eq!(answer.status, 404, "{nothing}");
        let expected = json!({ "error": "Not Found", "status": "404" });
        assert_eq!(answer.json(), expected, "{nothing}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_03_heartbeats_are_answered_word_for_word() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    let ok = json!({ "status": "ok", "response": {} });
    for (join_ref, reference) in [(json!(null), json!("7")), (json!("x"), json!(8))] {
        socket
            .send(json!([join_ref, reference, "phoenix", "heartbeat", {}]))
            .await;
        assert_eq!(
            socket.next().await,
            json!([null, reference, "phoenix", "phx_reply", ok])
        );
    }
    let mut socket = Phoenix::connect(&app, "vsn=1.0.0").await;
    socket
        .send(json!({ "topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "7" }))
        .await;
    assert_eq!(
        socket.next().await,
        json!({ "topic": "phoenix", "event": "phx_reply", "payload": ok, "ref": "7" })
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_04_a_join_is_welcomed() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    let payload = json!({ "systems": [JITA], "client_identifier": "wanderer_app" });
    let reply = socket.ask(json!("1"), "1", "phx_join", payload).await;
    assert_eq!(
        (&reply[0], &reply[1], &reply[2]),
        (&json!("1"), &json!("1"), &json!(LOBBY))
    );
    let response = &reply[4]["response"];
    assert_eq!(
        keys(response),
        [
            "status",
            "subscribed_characters",
            "subscribed_systems",
            "subscription_id"
        ]
    );
    assert_eq!(response["subscribed_systems"], json!([JITA]));
    assert_eq!(response["status"], "connected");
    assert_eq!(response["subscription_id"].as_str().unwrap().len(), 22);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_05_a_join_may_ask_for_nothing() {
    let app = RealApp::start().await;
    let nothing = json!({ "systems": [], "character_ids": [], "preload": { "enabled": false } });
    for payload in [
        json!({}),
        nothing,
        json!({ "systems": null }),
        json!({ "systems": "x" }),
    ] {
        let mut socket = Phoenix::v2(&app).await;
        let response = socket.join(payload).await;
        assert_eq!(response["subscribed_systems"], json!([]));
        assert_eq!(response["subscribed_characters"], json!([]));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_06_a_v1_reply_has_four_keys() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::connect(&app, "vsn=1.0.0").await;
    let join = json!({ "topic": LOBBY, "event": "phx_join", "payload": {}, "ref": "join_1_42" });
    socket.send(join).await;
    let reply = socket.next().await;
    assert_eq!(keys(&reply), ["event", "payload", "ref", "topic"]);
    assert_eq!(
        (&reply["event"], &reply["ref"]),
        (&json!("phx_reply"), &json!("join_1_42"))
    );
    assert_eq!(reply["payload"]["status"], "ok");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_08_a_refused_join_says_why() {
    let app = RealApp::start().await;
    let refused = |join_ref: Value, reference: &str, reason: &str| {
        let payload = json!({ "status": "error", "response": { "reason": reason } });
        json!([join_ref, reference, LOBBY, "phx_reply", payload])
    };
    for (payload, reason) in [
        (
            json!({ "systems": vec![JITA; 10_001] }),
            "[validation:too_many_systems] Too many systems (max: 10000)",
        ),
        (
            json!({ "systems": ["30000142"] }),
            "[validation:non_integer_system_ids] System IDs must be integers",
        ),
        (
            json!({ "systems": [0] }),
            "[validation:invalid_system_ids] Invalid system IDs",
        ),
        (
            json!({ "systems": [50_000_001] }),
            "[validation:invalid_system_ids] Invalid system IDs",
        ),
        (
            json!({ "character_ids": [89_999_999] }),
            "[validation:invalid_character_ids] Invalid character IDs",
        ),
        (
            json!({ "character_ids": [3_000_000_001_i64] }),
            "[validation:invalid_character_ids] Invalid character IDs",
        ),
        (
            json!({ "character_ids": ["x"] }),
            "[validation:non_integer_character_ids] Character IDs must be integers",
        ),
        (json!("str"), "join crashed"),
        (json!(null), "join crashed"),
        (json!([1]), "join crashed"),
        (
            json!({ "systems": [JITA], "character_ids": null }),
            "join crashed",
        ),
    ] {
        let mut socket = Phoenix::v2(&app).await;
        let reply = socket.ask(json!("1"), "1", "phx_join", payload).await;
        assert_eq!(reply, refused(json!("1"), "1", reason));
        let reply = socket.ask(json!("1"), "2", "get_status", json!({})).await;
        assert_eq!(reply, refused(json!(null), "2", "unmatched topic"));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_09_other_topics_are_refused() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    for (topic, event, join_ref, reason) in [
        ("foo:bar", "phx_join", json!(null), "unmatched topic"),
        ("killmails:other", "phx_join", json!("5"), "join crashed"),
        ("phoenix", "sing", json!(null), "unmatched topic"),
        (LOBBY, "phx_reply", json!(null), "unmatched topic"),
    ] {
        socket.send(json!(["5", "5", topic, event, {}])).await;
        let payload = json!({ "status": "error", "response": { "reason": reason } });
        assert_eq!(
            socket.next().await,
            json!([join_ref, "5", topic, "phx_reply", payload])
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_10_a_second_join_replaces_the_first() {
    let app = RealApp::start().await;
    app.append_batch(&[recent(1, PERIMETER, 5)]).await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(json!({ "systems": [JITA] })).await;
    socket.push("preload_complete").await;
    socket
        .send(json!(["2", "9", LOBBY, "phx_join", { "systems": [PERIMETER] }]))
        .await;
    let reply = socket.next().await;
    assert_eq!(
        (&reply[0], &reply[1], &reply[4]["status"]),
        (&json!("2"), &json!("9"), &json!("ok"))
    );
    assert_eq!(
        socket.next().await,
        json!(["1", "1", LOBBY, "phx_close", {}])
    );
    let preload = socket.next().await;
    assert_eq!(
        (&preload[0], &preload[4]["preload"]),
        (&json!("2"), &json!(true))
    );
    socket.push("preload_complete").await;
    app.append_batch(&[recent(2, JITA, 1), recent(3, PERIMETER, 1)])
        .await;
    let update = socket.push("killmail_update").await;
    assert_eq!(update["system_id"], PERIMETER);

    // A join that fails ends the channel as well.
    socket
        .send(json!(["3", "10", LOBBY, "phx_join", { "systems": [0] }]))
        .await;
    let mut frames = Vec::new();
    while frames.len() < 2 {
        let frame = socket.next().await;
        if frame[3] != "kill_count_update" {
            frames.push(frame);
        }
    }
    assert_eq!(frames[0][4]["status"], "error");
    assert_eq!(frames[1], json!(["2", "2", LOBBY, "phx_close", {}]));
    app.stop().await;
}

#[rstest]
#[case(json!({}), json!(null))]
#[case(json!({ "join_ref": "j1" }), json!("j1"))]
#[tokio::test(flavor = "multi_thread")]
async fn check_10_a_second_join_in_v1(#[case] extra: Value, #[case] closed: Value) {
    let app = RealApp::start().await;
    let mut socket = Phoenix::connect(&app, "").await;
    for (reference, systems) in [("a", json!([JITA])), ("b", json!([PERIMETER]))] {
        let payload = json!({ "systems": systems, "preload": { "enabled": false } });
        let mut join =
            json!({ "topic": LOBBY, "event": "phx_join", "payload": payload, "ref": reference });
        for (key, value) in extra.as_object().unwrap() {
            join[key] = value.clone();
        }
        socket.send(join).await;
        let reply = socket.next().await;
        assert_eq!(
            (&reply["ref"], &reply["payload"]["status"]),
            (&json!(reference), &json!("ok"))
        );
    }
    assert_eq!(
        socket.next().await,
        json!({ "topic": LOBBY, "event": "phx_close", "payload": {}, "ref": closed })
    );
    app.append_batch(&[recent(2, JITA, 1), recent(3, PERIMETER, 1)])
        .await;
    let update = socket.next().await;
    assert_eq!(keys(&update), ["event", "payload", "ref", "topic"]);
    assert_eq!(
        (&update["event"], &update["ref"]),
        (&json!("killmail_update"), &json!(null))
    );
    assert_eq!(update["payload"]["system_id"], PERIMETER);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_11_leaving_is_confirmed_and_closes() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    let ok = json!({ "status": "ok", "response": {} });
    socket.send(json!(["1", "0", LOBBY, "phx_leave", {}])).await;
    assert_eq!(
        socket.next().await,
        json!(["1", "0", LOBBY, "phx_reply", ok])
    );
    socket.join(json!({})).await;
    socket.send(json!(["1", "2", LOBBY, "phx_leave", {}])).await;
    assert_eq!(
        socket.next().await,
        json!(["1", "2", LOBBY, "phx_reply", ok])
    );
    assert_eq!(
        socket.next().await,
        json!(["1", "1", LOBBY, "phx_close", {}])
    );
    let reply = socket.ask(json!("1"), "3", "get_status", json!({})).await;
    assert_eq!(reply[4]["response"]["reason"], "unmatched topic");
    let status = app.get("/websocket/status").await.json();
    assert_eq!(status["active_subscriptions"], 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_19_what_is_not_understood_leaves_the_channel_joined() {
    let app = RealApp::start().await;
    for (event, payload) in [
        ("subscribe_systems", json!({ "systems": "x" })),
        ("subscribe_systems", json!({ "systems": [0] })),
        ("subscribe_systems", json!("x")),
        ("unsubscribe_systems", json!({})),
        ("subscribe_characters", json!({ "character_ids": [1] })),
        ("unsubscribe_characters", json!(null)),
        ("update_subscriptions", json!({})),
        ("phx_close", json!({})),
    ] {
        let mut socket = Phoenix::v2(&app).await;
        socket.join(json!({ "systems": [JITA] })).await;
        let reply = socket.ask(json!("1"), "2", event, payload).await;
        assert_eq!(
            (&reply[0], &reply[4]["status"]),
            (&json!("1"), &json!("error"))
        );
        assert!(reply[4]["response"]["reason"].is_string());
        let reply = socket.ask(json!(null), "3", "get_status", json!({})).await;
        assert_eq!(reply[0], "1");
        assert_eq!(reply[4]["response"]["subscribed_systems"], json!([JITA]));
        // A message of an earlier join is passed over.
        socket
            .send(json!(["0", "4", LOBBY, "get_status", {}]))
            .await;
        let reply = socket.ask(json!("1"), "5", "get_status", json!({})).await;
        assert_eq!(reply[1], "5");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_19_garbage_closes_only_its_socket() {
    let app = RealApp::start().await;
    let mut other = Phoenix::v2(&app).await;
    other.join(json!({})).await;
    let nulls = "[null,null,null,null,null]";
    for version in ["vsn=1.0.0", "vsn=2.0.0"] {
        for garbage in [
            "hello",
            "5",
            "{}",
            "[]",
            nulls,
            r#"{"topic":"t","event":"e"}"#,
        ] {
            let mut socket = Phoenix::connect(&app, version).await;
            socket.0.send(garbage).await;
            assert_eq!(socket.0.close_code().await, Some(1011), "{garbage}");
        }
    }
    let mut socket = Phoenix::v2(&app).await;
    socket.0.0.send(Message::binary(vec![0; 16])).await.unwrap();
    assert_eq!(socket.0.close_code().await, Some(1011));
    let reply = other.ask(json!("1"), "2", "get_status", json!({})).await;
    assert_eq!(reply[4]["status"], "ok");
    app.stop().await;
}
