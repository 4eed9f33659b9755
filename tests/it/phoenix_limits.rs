//! Phoenix channels: silence, sizes, shutdown, and what `/websocket` tells. Numbers are those of the
//! compatibility checks.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use wanderer_kills::api::Limits;

use super::support::app::{JITA, PATIENCE, TestApp};
use super::support::phoenix::{LOBBY, Phoenix};
use super::support::served::RealApp;
use super::support::wanderer;

/// Longest time after which a silent socket has to be closed.
const LONGEST_SILENCE: Duration = Duration::from_secs(75);
/// Wanderer's pings.
const PING_EVERY: Duration = Duration::from_secs(30);

async fn joined(app: &RealApp) -> Phoenix {
    let mut socket = Phoenix::v2(app).await;
    socket.join(json!({ "systems": [JITA] })).await;
    socket.push("preload_complete").await;
    socket
}

/// A minute in real time: the idle time-out is the one that clients meet.
#[tokio::test(flavor = "multi_thread")]
async fn check_12_pings_each_half_minute_keep_a_socket_and_silence_ends_it() {
    let app = RealApp::start().await;
    let mut pinging = joined(&app).await;
    let mut silent = joined(&app).await;
    let mut closed =
        tokio::spawn(async move { tokio::time::timeout(LONGEST_SILENCE, silent.0.0.next()).await });
    let mut pings = tokio::time::interval(PING_EVERY);
    let mut answered = 0;
    let closed = loop {
        tokio::select! {
            closed = &mut closed => break closed.unwrap().unwrap(),
            _ = pings.tick() => {
                pinging.0.0.send(Message::Ping(vec![7].into())).await.unwrap();
                let answer = tokio::time::timeout(PATIENCE, pinging.0.0.next()).await;
                assert_eq!(answer.unwrap().unwrap().unwrap(), Message::Pong(vec![7].into()));
                answered += 1;
            }
        }
    };
    let Some(Ok(Message::Close(Some(close)))) = closed else {
        panic!("{closed:?}");
    };
    assert_eq!(u16::from(close.code), 1000);
    assert!(
        answered >= 2,
        "the socket was open when the second ping was due"
    );
    let reply = pinging.ask(json!("1"), "2", "get_status", json!({})).await;
    assert_eq!(reply[4]["status"], "ok");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_keep_a_socket_for_as_long_as_they_come() {
    let app = TestApp::with_limits(Limits {
        phoenix_idle: Duration::from_secs(2),
        ..Limits::default()
    })
    .await;
    let mut pinging = Phoenix::v2(&app).await;
    pinging.join(json!({ "systems": [JITA] })).await;
    pinging.push("preload_complete").await;
    let mut silent = Phoenix::v2(&app).await;
    silent.join(json!({ "systems": [JITA] })).await;
    let closed = tokio::spawn(async move { silent.0.close_code().await });
    let mut pongs = 0;
    while !closed.is_finished() || pongs < 2 {
        let ping = Message::Ping(vec![7].into());
        pinging.0.0.send(ping).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, pinging.0.0.next());
        let answer = answer.await.unwrap().unwrap().unwrap();
        assert_eq!(answer, Message::Pong(vec![7].into()));
        pongs += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(closed.await.unwrap(), Some(1000));
    let reply = pinging.ask(json!("1"), "2", "get_status", json!({})).await;
    assert_eq!(reply[4]["status"], "ok");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_silence_is_broken_by_an_empty_update() {
    let app = TestApp::with_limits(Limits {
        phoenix_keep_alive: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut socket = Phoenix::v2(&app).await;
    socket.join(json!({ "systems": [JITA] })).await;
    for _ in 0..2 {
        let update = socket.push("killmail_update").await;
        assert_eq!(
            (&update["system_id"], &update["killmails"]),
            (&json!(JITA), &json!([]))
        );
        assert_eq!(wanderer::update(&update), Ok(Vec::new()));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_30_ten_thousand_systems_fit_and_more_than_128_kib_do_not() {
    let app = RealApp::start().await;
    let mut socket = Phoenix::v2(&app).await;
    let systems: Vec<i64> = (30_000_001..=30_010_000).collect();
    let response = socket.join(json!({ "systems": systems })).await;
    assert_eq!(response["subscribed_systems"], json!(systems));
    let complete = socket.push("preload_complete").await;
    assert_eq!(
        complete,
        json!({ "total_kills": 0, "systems_processed": 10_000, "errors": [] })
    );
    let reply = socket
        .ask(
            json!("1"),
            "2",
            "subscribe_systems",
            json!({ "systems": [1] }),
        )
        .await;
    assert_eq!(
        reply[4]["response"]["reason"],
        "[validation:too_many_systems] Too many systems (max: 10000)"
    );
    let oversized = Message::text(format!(
        r#"["1","3","{LOBBY}","x",{{}}]{}"#,
        " ".repeat(128 * 1024)
    ));
    drop(socket.0.0.send(oversized).await);
    assert_eq!(socket.0.close_code().await, Some(1009));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_31_shutdown_says_restart() {
    let app = RealApp::start().await;
    let mut joined = Phoenix::v2(&app).await;
    joined.join(json!({ "systems": [JITA] })).await;
    let mut idle = Phoenix::connect(&app, "").await;
    let (joined, idle, ()) = tokio::join!(joined.0.close_code(), idle.0.close_code(), app.stop());
    assert_eq!((joined, idle), (Some(1012), Some(1012)));
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_tells_where_and_how_many() {
    let app = TestApp::start().await;
    let discovery = app.get("/websocket").await.json();
    let url = format!("ws://{}/socket", app.address());
    assert_eq!(discovery["websocket_url"], json!(url));
    assert_eq!(discovery["channels"]["killmails"], LOBBY);
    assert_eq!(discovery["limits"]["max_systems_per_subscription"], 10_000);
    assert_eq!(discovery["limits"]["timeout_seconds"], 60);
    let mut socket = Phoenix::v2(&app).await;
    socket.join(json!({})).await;
    let _unjoined = Phoenix::v2(&app).await;
    let mut status = app.get("/websocket/status").await.json();
    while status["active_connections"] != 2 {
        tokio::task::yield_now().await;
        status = app.get("/websocket/status").await.json();
    }
    assert_eq!(status["status"], "operational");
    assert_eq!(status["active_subscriptions"], 1);
    assert!(status["uptime_seconds"].is_u64() && status["timestamp"].is_string());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_for_streams_hold_for_phoenix_too() {
    let app = TestApp::with_limits(Limits {
        streams: 1,
        ..Limits::default()
    })
    .await;
    let _first = Phoenix::v2(&app).await;
    assert_eq!(Phoenix::status(&app, "vsn=2.0.0", None).await, 503);
    app.stop().await;
}
