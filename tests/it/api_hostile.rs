//! Clients that mean no good, and those beside them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wanderer_kills::api::Limits;
use wanderer_kills::runtime::telemetry::exposition;

use super::support::app::{JITA, PATIENCE, TestApp, killmail, storable};

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_body_is_refused_before_it_is_read() {
    let app = TestApp::start().await;
    let mut socket = TcpStream::connect(app.address()).await.unwrap();
    let head = "GET /api/killfeed HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, socket.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(app.get("/ping").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absurd_filters_and_heads_are_refused() {
    let app = TestApp::start().await;
    let ids = vec!["1"; 10_001].join(",");
    let long = app
        .get(&format!("/api/killfeed?systems={ids}&characters={ids}"))
        .await;
    assert!([200, 400].contains(&long.status), "{}", long.status);
    let many: Vec<String> = (1..=10_001).map(|id| id.to_string()).collect();
    let many = app
        .get(&format!("/api/killfeed?systems={}", many.join(",")))
        .await;
    assert_eq!(
        (many.status, &many.json()["code"]),
        (400, &"bad_parameter".into())
    );
    let mut socket = TcpStream::connect(app.address()).await.unwrap();
    let endless = format!(
        "GET /api/killfeed?systems={} HTTP/1.1\r\n",
        "1,".repeat(100_000)
    );
    // The server may close before it has read everything.
    drop(socket.write_all(endless.as_bytes()).await);
    let mut answer = Vec::new();
    drop(
        tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer))
            .await
            .unwrap(),
    );
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(app.get("/ping").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_not_waited_for() {
    let limits = Limits {
        head_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let mut socket = TcpStream::connect(app.address()).await.unwrap();
    socket
        .write_all(b"GET /ping HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, socket.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_are_dropped_and_others_get_everything() {
    let limits = Limits {
        send_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    exposition::install().unwrap();
    let app = TestApp::with_limits(limits).await;
    let mut idle = Vec::new();
    for _ in 0..5 {
        idle.push(app.websocket("after=0").await);
        idle.push(app.websocket("").await);
    }
    let unread = app.stream("after=0", None).await;
    let mut reading = app.websocket("after=0").await;
    let reader = tokio::spawn(async move {
        reading.next().await;
        for expected in 1..=100 {
            assert_eq!(reading.next().await["cursor"], expected);
        }
        reading
    });
    // Some 20 MB: more than sockets and buffers of a client hold.
    for batch in 0..4 {
        let batch: Vec<_> = (1..=25)
            .map(|id| storable(large(batch * 25 + id)))
            .collect();
        app.append_batch(&batch).await;
    }
    let gone = async {
        while app.state.sessions.len() > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    let mut reading = reader.await.unwrap();
    app.append(1_000..=1_000, JITA).await;
    assert_eq!(reading.next().await["cursor"], 101);
    for (protocol, clients) in [("json", idle.len()), ("http", 1)] {
        let counted = async {
            while slow_clients(protocol) < clients {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, counted).await.unwrap();
    }
    drop((idle, unread));
    app.stop().await;
}

/// How many were disconnected, as the metrics of this test process say.
fn slow_clients(protocol: &str) -> usize {
    let series = format!("wanderer_kills_slow_clients_closed_total{{protocol=\"{protocol}\"}} ");
    exposition::render()
        .lines()
        .find_map(|line| line.strip_prefix(&series)?.parse().ok())
        .unwrap_or_default()
}

/// A killmail of about 200 kB.
fn large(killmail_id: i64) -> wanderer_kills::domain::Killmail {
    let mut killmail = killmail(killmail_id, JITA);
    let attacker = killmail.attackers[0].clone();
    killmail.attackers = vec![attacker; 2_000];
    killmail
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_websockets_do_no_harm() {
    let app = TestApp::start().await;
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        idle.push(app.websocket("systems=30000144").await);
    }
    assert_eq!(app.state.sessions.len(), 2_000);
    app.append(1..=5, JITA).await;
    assert_eq!(app.get("/api/killfeed").await.json()["cursor"], 5);
    app.append(6..=6, 30_000_144).await;
    for socket in &mut idle {
        while socket.next().await["type"] != "killmail" {}
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_says_when_to_come_again() {
    let limits = Limits {
        streams: 1,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let mut first = app.websocket("").await;
    first.next().await;
    for path in ["/api/killfeed/stream", "/api/killfeed?wait=1"] {
        let full = app.get(path).await;
        assert_eq!(
            (full.status, full.header("retry-after")),
            (503, "30"),
            "{path}"
        );
        assert_eq!(full.json()["code"], "too_many_streams");
    }
    assert_eq!(app.get("/api/killfeed").await.status, 200);
    app.stop().await;
}
