//! What one address may take, and that the others do not feel it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::app::{Answer, PATIENCE, read};
use crate::support::http::get;
use crate::support::served::RealApp;

/// Nobody is let off.
const EVERYBODY: (&str, &str) = ("WK_UNLIMITED_NETWORKS", "none");

const FEED: &str = "/api/killfeed";

/// One request from an address of this machine, with what proxies say.
async fn ask(app: &RealApp, from: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let from: IpAddr = from.parse().unwrap();
    let client = reqwest::Client::builder().no_proxy().local_address(from);
    let url = format!("http://{}{path}", app.address());
    let mut request = client.build().unwrap().request(Method::GET, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request).await
}

/// How often it is answered before it is turned away, at most ten times.
async fn answered(app: &RealApp, from: &str, headers: &[(&str, &str)]) -> usize {
    for times in 0..10 {
        let answer = ask(app, from, FEED, headers).await;
        if answer.status == 429 {
            return times;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    10
}

async fn connect(app: &RealApp, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from: IpAddr = from.parse().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    socket.connect(app.address()).await.unwrap()
}

/// One request on a connection that stays; false where the server has closed it.
async fn is_served(stream: &mut TcpStream) -> bool {
    let exchange = async {
        stream
            .write_all(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            .await?;
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await?;
        Ok::<_, std::io::Error>(piece[..read].starts_with(b"HTTP/1.1 200"))
    };
    let served = tokio::time::timeout(PATIENCE, exchange).await.unwrap();
    served.unwrap_or(false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_asks_too_often_is_told_when_to_come_again() {
    let app = RealApp::with_env(&[
        EVERYBODY,
        ("WK_REQUESTS_PER_MINUTE", "1"),
        ("WK_REQUEST_BURST", "3"),
    ])
    .await;
    assert_eq!(answered(&app, "127.0.0.1", &[]).await, 3);
    let refused = ask(&app, "127.0.0.1", FEED, &[]).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["code"], "too_often");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let old = ask(&app, "127.0.0.1", "/api/v1/kills/count/30000142", &[]).await;
    assert_eq!(
        (old.status, old.json()),
        (
            429,
            serde_json::json!({ "error": "Too Many Requests", "status": "429" })
        )
    );
    for path in [
        "/ping",
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
    ] {
        assert_eq!(
            ask(&app, "127.0.0.1", path, &[]).await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(answered(&app, "127.0.0.2", &[]).await, 3, "another address");
    let metrics = ask(&app, "127.0.0.1", "/metrics", &[]).await.body;
    let counted = "wanderer_kills_http_refused_total{reason=\"requests\"} ";
    let line = metrics.lines().find(|line| line.starts_with(counted));
    assert_eq!(line.unwrap().strip_prefix(counted), Some("4"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_when_it_was_told_is_served() {
    let app = RealApp::with_env(&[
        EVERYBODY,
        ("WK_REQUESTS_PER_MINUTE", "30"),
        ("WK_REQUEST_BURST", "1"),
    ])
    .await;
    assert_eq!(answered(&app, "127.0.0.1", &[]).await, 1);
    let refused = ask(&app, "127.0.0.1", FEED, &[]).await;
    let seconds = refused.header("retry-after").parse().unwrap();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    assert_eq!(ask(&app, "127.0.0.1", FEED, &[]).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_addresses_are_believed_of_trusted_proxies_alone() {
    let app = RealApp::with_env(&[
        EVERYBODY,
        ("WK_TRUSTED_PROXIES", "127.0.0.2"),
        ("WK_REQUESTS_PER_MINUTE", "1"),
        ("WK_REQUEST_BURST", "2"),
    ])
    .await;
    let forwarded = "x-forwarded-for";
    let proxy = "127.0.0.2";
    assert_eq!(
        answered(&app, proxy, &[(forwarded, "203.0.113.1")]).await,
        2
    );
    let spoofed = [(forwarded, "192.0.2.9, 203.0.113.1")];
    assert_eq!(
        answered(&app, proxy, &spoofed).await,
        0,
        "what a client adds is nothing"
    );
    assert_eq!(
        answered(&app, proxy, &[(forwarded, "203.0.113.2")]).await,
        2
    );
    assert_eq!(
        answered(&app, "127.0.0.3", &[(forwarded, "203.0.113.3")]).await,
        2
    );
    let other = [(forwarded, "203.0.113.4")];
    assert_eq!(
        answered(&app, "127.0.0.3", &other).await,
        0,
        "no proxy of ours"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_so_many_connections_and_no_more() {
    let app = RealApp::with_env(&[EVERYBODY, ("WK_MAX_CONNECTIONS_PER_ADDRESS", "3")]).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app, "127.0.0.2").await;
        assert!(is_served(&mut stream).await);
        open.push(stream);
    }
    assert!(!is_served(&mut connect(&app, "127.0.0.2").await).await);
    assert!(
        is_served(&mut connect(&app, "127.0.0.3").await).await,
        "another address"
    );
    assert!(is_served(&mut open[0]).await, "those that were there stay");
    open.pop();
    // The server learns of it a moment later.
    let again = async { while !is_served(&mut connect(&app, "127.0.0.2").await).await {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_no_head_is_dropped() {
    let app = RealApp::with_env(&[("WK_HEAD_TIMEOUT_S", "1")]).await;
    let mut openers = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(&app, "127.0.0.2").await;
        stream
            .write_all(b"GET /ping HTTP/1.1\r\nX-Slow: ")
            .await
            .unwrap();
        openers.push(stream);
    }
    assert_eq!(get(app.address(), "/ping").await.unwrap().status, 200);
    for stream in &mut openers {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest));
        ended.await.expect("the server closed it").ok();
    }
    assert_eq!(get(app.address(), "/ping").await.unwrap().status, 200);
    app.stop().await;
}
