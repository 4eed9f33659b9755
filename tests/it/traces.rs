//! Spans as an OpenTelemetry collector gets them.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::binary::ServiceCommand;
use crate::support::http::get;
use crate::support::postgres::database;

const PATIENCE: Duration = Duration::from_mins(1);

/// Reads one export and answers it: its head and its body.
async fn export(stream: TcpStream) -> (String, Vec<u8>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.get_mut().write_all(answer).await.unwrap();
    (head, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_spans_of_a_collector_that_is_named() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env(
            "WK_OTLP_ENDPOINT",
            format!("http://{}", collector.local_addr().unwrap()),
        );
    let address = command.listen();
    let service = command.start().await;
    assert_eq!(
        get(address, "/api/systems/active").await.unwrap().status,
        200
    );
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    let told = async {
        loop {
            let (stream, _) = collector.accept().await.unwrap();
            let (head, body) = export(stream).await;
            assert!(head.starts_with("post /v1/traces "), "{head}");
            assert!(
                head.contains("content-type: application/x-protobuf"),
                "{head}"
            );
            let body = text(&body);
            if body.contains("/api/systems/active") {
                return body;
            }
        }
    };
    let body = tokio::time::timeout(PATIENCE, told).await.unwrap();
    assert!(
        body.contains("wanderer-kills") && body.contains("request"),
        "{body}"
    );
    drop(collector);
    assert_eq!(
        service.terminate().await,
        Some(0),
        "a collector that is gone is no failure"
    );
}
