//! The plain JSON websocket.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use futures::SinkExt;

use super::support::app::{JITA, TestApp};

const PERIMETER: i64 = 30_000_144;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_resumes_after_its_cursor() {
    let app = TestApp::start().await;
    app.append(1..=200, JITA).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let after = seen.last().copied().unwrap_or(0);
        let mut socket = app.websocket(&format!("after={after}")).await;
        let hello = socket.next().await;
        assert_eq!(
            hello,
            json!({ "type": "hello", "cursor": after, "head": 200 })
        );
        for _ in 0..50 {
            let frame = socket.next().await;
            assert_eq!(frame["type"], "killmail");
            assert_eq!(frame["cursor"], frame["event"]["event_id"]);
            seen.push(frame["cursor"].as_i64().unwrap());
        }
    }
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_changes_in_flight_and_shutdown_says_restart() {
    let app = TestApp::start().await;
    let mut socket = app.websocket(&format!("systems={JITA}")).await;
    assert_eq!(socket.next().await["type"], "hello");
    app.append(1..=1, JITA).await;
    assert_eq!(socket.next().await["cursor"], 1);
    let filter = json!({ "type": "filter", "filter": { "systems": [PERIMETER] } });
    socket.send(&filter.to_string()).await;
    assert_eq!(
        socket.next().await,
        json!({ "type": "filter", "cursor": 1 })
    );
    app.append(2..=2, JITA).await;
    app.append(3..=3, PERIMETER).await;
    assert_eq!(socket.next().await["cursor"], 3);
    socket.send(r#"{"type":"ping"}"#).await;
    assert_eq!(socket.next().await["type"], "pong");
    let (code, _) = tokio::join!(socket.close_code(), app.stop());
    assert_eq!(code, Some(1012));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_answered_and_then_refused() {
    let app = TestApp::start().await;
    let mut socket = app.websocket("").await;
    socket.next().await;
    for garbage in [
        "",
        "{",
        "[]",
        r#"{"type":"filter","filter":{"systems":[-1]}}"#,
    ] {
        socket.send(garbage).await;
        assert_eq!(socket.next().await["type"], "error", "{garbage}");
    }
    socket.send(r#"{"type":"ping"}"#).await;
    assert_eq!(socket.next().await["type"], "pong");
    for _ in 0..6 {
        socket.0.send(Message::binary(vec![0; 16])).await.unwrap();
    }
    assert_eq!(socket.close_code().await, Some(1008));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_ends_the_session() {
    let app = TestApp::start().await;
    let mut socket = app.websocket("").await;
    socket.next().await;
    let oversized = Message::text("x".repeat(128 * 1024 + 1));
    drop(socket.0.send(oversized).await);
    assert_eq!(socket.close_code().await, Some(1009));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_pinged_and_then_ended() {
    let limits = wanderer_kills::api::Limits {
        idle_ping: std::time::Duration::from_millis(100),
        ..wanderer_kills::api::Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    // The client library answers pings while it reads, so a reading client stays.
    let mut reading = app.websocket("").await;
    reading.next().await;
    let silent = app.websocket("").await;
    let waiting = tokio::spawn(async move { reading.next().await });
    while app.state.sessions.len() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    app.append(1..=1, JITA).await;
    assert_eq!(waiting.await.unwrap()["cursor"], 1);
    drop(silent);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_upgrade_is_told_so() {
    let app = TestApp::start().await;
    let answer = app.get("/api/killfeed/ws").await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (426, &"upgrade_required".into())
    );
    assert_eq!(answer.header("upgrade"), "websocket");
    app.stop().await;
}
