//! More clients that mean no good: heads, bodies, numbers and frames that nobody sane sends.

use std::io::Write as _;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use wanderer_kills::api::Limits;

use crate::support::app::{JITA, PATIENCE, TestApp};
use crate::support::binary::ServiceCommand;
use crate::support::http;
use crate::support::postgres::database;

/// Sends these bytes, as many as are taken; what came back until the server closed.
async fn exchange(app: &TestApp, head: &[u8], piece: &[u8], times: usize) -> String {
    let socket = TcpStream::connect(app.address()).await.unwrap();
    let (mut reader, mut writer) = socket.into_split();
    let write = async {
        writer.write_all(head).await?;
        for _ in 0..times {
            writer.write_all(piece).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    let read = async {
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        // Ends with the head: a server that has refused may leave the connection to the client.
        while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
            match reader.read(&mut piece).await {
                Ok(read) if read > 0 => answer.extend_from_slice(&piece[..read]),
                Ok(_) | Err(_) => break,
            }
        }
        String::from_utf8(answer).unwrap()
    };
    let (mut write, mut read) = (std::pin::pin!(write), std::pin::pin!(read));
    let both = async {
        tokio::select! {
            answer = &mut read => answer,
            written = &mut write => {
                drop(written);
                read.await
            }
        }
    };
    tokio::time::timeout(PATIENCE, both).await.unwrap()
}

#[rstest]
#[case::post("POST /api/killfeed")]
#[case::put("PUT /api/killmails/1")]
#[case::get("GET /api/killfeed")]
#[case::nowhere("POST /no/such/path")]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_are_refused_whether_announced_or_not(#[case] what: &str) {
    let app = TestApp::start().await;
    let size = 100_000_000;
    let announced = format!("{what} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
    let piece = vec![b'x'; 1_000_000];
    let answer = exchange(&app, announced.as_bytes(), &piece, 100).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let chunked = format!("{what} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"f4240\r\n".as_slice(), &piece, b"\r\n"].concat();
    let answer = exchange(&app, chunked.as_bytes(), &chunk, 100).await;
    let expected = if what.starts_with("GET") {
        "HTTP/1.1 "
    } else {
        "HTTP/1.1 4"
    };
    assert!(answer.starts_with(expected), "{answer}");
    assert_eq!(app.get("/ping").await.status, 200);
    app.stop().await;
}

#[rstest]
#[case::header(b"GET /ping HTTP/1.1\r\nX: ")]
#[case::url(b"GET /ping?")]
#[case::method(b"")]
#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_a_megabyte_is_not_read_to_its_end(#[case] head: &[u8]) {
    // Sometimes the server closes only after the time that a head may take, so that time is short here.
    let limits = Limits {
        head_timeout: Duration::from_secs(2),
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let answer = exchange(&app, head, &[b'x'; 1_000], 1_000).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    let many = b"X: y\r\n".repeat(10_000);
    let answer = exchange(&app, b"GET /ping HTTP/1.1\r\n", &many, 1).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    assert_eq!(app.get("/ping").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absurd_numbers_are_refused_by_every_parameter() {
    let app = TestApp::start().await;
    let absurd = [
        "-1",
        "9223372036854775808",
        "-9223372036854775809",
        "340282366920938463463374607431768211456",
        "1e3",
        "1.5",
        "0x10",
        "NaN",
        "%D9%A3",
        "%FF",
        "%00",
        "1%00",
    ];
    let mut paths = Vec::new();
    for number in absurd {
        for field in [
            "after",
            "limit",
            "wait",
            "systems",
            "characters",
            "corporations",
        ] {
            paths.push(format!("/api/killfeed?{field}={number}"));
        }
        for field in ["after", "systems", "ships"] {
            paths.push(format!("/api/killfeed/stream?{field}={number}"));
        }
        paths.push(format!("/api/killmails/{number}"));
    }
    for path in paths {
        let answer = app.get(&path).await;
        assert!(
            (400..500).contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
    }
    for query in [
        "%",
        "%%%",
        "%FF%FE=%C0%80",
        "&&&=",
        "=&=",
        "after=%F0%28%8C%28",
    ] {
        let answer = app.get(&format!("/api/killfeed?{query}")).await;
        assert!(answer.status < 500, "{query}: {}", answer.status);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_up_to_the_limit_leave_the_others_served() {
    let limits = Limits {
        connections: 200,
        head_timeout: Duration::from_secs(2),
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let mut reading = app.websocket("").await;
    reading.next().await;
    let mut half_open = Vec::new();
    for _ in 0..198 {
        let mut socket = TcpStream::connect(app.address()).await.unwrap();
        socket.write_all(b"GET /ping HTTP/1.1\r\nHo").await.unwrap();
        half_open.push(socket);
    }
    assert_eq!(app.get("/ping").await.status, 200);
    // More than there are places for: they wait in the kernel, and the first ones time out.
    for _ in 0..100 {
        half_open.push(TcpStream::connect(app.address()).await.unwrap());
    }
    app.append(1..=3, JITA).await;
    for cursor in 1..=3 {
        assert_eq!(reading.next().await["cursor"], cursor);
    }
    assert_eq!(app.get("/ping").await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_in_pieces_are_put_together_and_broken_ones_end_the_session() {
    let app = TestApp::start().await;
    let mut socket = app.websocket("").await;
    socket.next().await;
    let text = br#"{"type":"ping"}"#;
    for (at, byte) in text.iter().enumerate() {
        let kind = if at == 0 { Data::Text } else { Data::Continue };
        let last = at + 1 == text.len();
        let frame = Frame::message(vec![*byte], OpCode::Data(kind), last);
        socket.0.send(Message::Frame(frame)).await.unwrap();
    }
    assert_eq!(socket.next().await["type"], "pong");

    // Each piece is small, and there is no end to them.
    let piece = |kind| Frame::message(vec![b'x'; 64 * 1024], OpCode::Data(kind), false);
    drop(socket.0.send(Message::Frame(piece(Data::Text))).await);
    for _ in 0..4 {
        drop(socket.0.send(Message::Frame(piece(Data::Continue))).await);
    }
    assert!(matches!(socket.close_code().await, Some(1009) | None));

    for broken in [
        Frame::message(vec![0xFF, 0xFE], OpCode::Data(Data::Text), true),
        Frame::message(vec![b'x'], OpCode::Data(Data::Continue), true),
        Frame::message(vec![b'x'], OpCode::Data(Data::Reserved(3)), true),
    ] {
        let mut socket = app.websocket("").await;
        socket.next().await;
        drop(socket.0.send(Message::Frame(broken)).await);
        let code = socket.close_code().await;
        assert!(matches!(code, Some(1002 | 1007) | None), "{code:?}");
    }
    let ids: Vec<i64> = (1..=20_000).collect();
    let mut socket = app.websocket("").await;
    socket.next().await;
    let filter = json!({ "type": "filter", "filter": { "systems": ids } });
    socket.send(&filter.to_string()).await;
    assert_eq!(socket.next().await["type"], "error");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_that_never_read_cost_a_bounded_memory() {
    const EVENTS: i64 = 5_000;
    let (database, folder) = (database().await, tempfile::tempdir().unwrap());
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none");
    let service = command.start().await;
    let url = format!("ws://{}/api/killfeed/ws", command.listen());
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(connect_async(&url).await.unwrap().0);
    }
    let (mut reading, _) = connect_async(&url).await.unwrap();
    let before = service.resident_kib();
    let file = folder.path().join("killmails.jsonl");
    let mut lines = std::fs::File::create(&file).unwrap();
    for id in 1..=EVENTS {
        let killmail = json!({
            "killmail_id": id,
            "killmail_time": "2026-06-01T12:00:00Z",
            "solar_system_id": JITA,
            "victim": { "ship_type_id": 587, "damage_taken": 1 },
            "attackers": vec![json!({ "damage_done": 1, "final_blow": false, "character_id": id }); 20],
        });
        writeln!(lines, "{killmail}").unwrap();
    }
    let file = file.to_str().unwrap().to_owned();
    let import = tokio::spawn(async move {
        let output = command.run(&["import", "--announce", &file]).await;
        assert!(output.status.success(), "{output:?}");
        command
    });
    let mut cursor = 0;
    while cursor < EVENTS {
        let message = tokio::time::timeout(PATIENCE, reading.next())
            .await
            .unwrap();
        let Message::Text(text) = message.unwrap().unwrap() else {
            continue;
        };
        let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == "killmail" {
            assert_eq!(frame["cursor"], cursor + 1, "in order, each once");
            cursor += 1;
        }
    }
    let command = import.await.unwrap();
    let grown = service.resident_kib().saturating_sub(before) / 1024;
    // Unbounded queues would hold some 15 MB for each of the fifty.
    assert!(grown < 300, "{grown} MiB more");
    assert_eq!(
        http::get(command.listen(), "/ping").await.unwrap().status,
        200
    );
    drop(idle);
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_leaves_descriptors_for_the_work() {
    let (database, folder) = (database().await, tempfile::tempdir().unwrap());
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none");
    let service = command.start_with_descriptors(200).await;
    let url = format!("ws://{}/api/killfeed/ws?after=0", command.listen());
    let (mut reading, _) = connect_async(&url).await.unwrap();
    let mut flood = Vec::new();
    // As many as get in (100), and about as many as the kernel lets wait.
    for _ in 0..200 {
        flood.push(TcpStream::connect(command.listen()).await.unwrap());
    }
    let line = json!({
        "killmail_id": 1,
        "killmail_time": "2026-06-01T12:00:00Z",
        "solar_system_id": JITA,
        "victim": { "ship_type_id": 587, "damage_taken": 1 },
        "attackers": [{ "damage_done": 1, "final_blow": true }],
    });
    let file = folder.path().join("one.json");
    std::fs::write(&file, line.to_string()).unwrap();
    let output = command
        .run(&["import", "--announce", file.to_str().unwrap()])
        .await;
    assert!(output.status.success(), "{output:?}");
    loop {
        let message = tokio::time::timeout(PATIENCE, reading.next())
            .await
            .unwrap();
        let Message::Text(text) = message.unwrap().unwrap() else {
            continue;
        };
        let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == "killmail" {
            break;
        }
    }
    let most = std::fs::read_dir(format!("/proc/{}/fd", service.pid()))
        .unwrap()
        .count();
    assert!(most < 190, "{most} descriptors");
    drop(flood);
    assert_eq!(
        http::get(command.listen(), "/ping").await.unwrap().status,
        200
    );
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configured_limits_hold() {
    let (database, folder) = (database().await, tempfile::tempdir().unwrap());
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env("WK_MAX_STREAMS", 1);
    let service = command.start().await;
    let url = format!("ws://{}/api/killfeed/ws", command.listen());
    let (_first, _) = connect_async(&url).await.unwrap();
    assert!(connect_async(&url).await.is_err(), "one stream is all");
    assert_eq!(service.terminate().await, Some(0));
}
