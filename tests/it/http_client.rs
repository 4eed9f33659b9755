//! The HTTP client against servers that misbehave, on raw sockets: what they send is exactly what stands here.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_compression::tokio::write::GzipEncoder;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;
use wanderer_kills::runtime::clock::{Clock as _, TestClock};
use wanderer_kills::upstream::http::{
    Attempts, Budget, Error, HttpClient, HttpSettings, Limits, Redirects, Request, Retry,
    with_retries,
};

/// What stands for silence: longer than the silence that the client bears here.
const STALL: Duration = Duration::from_millis(200);

/// A server that answers every request with the bytes that a function makes of its number (from 0), and
/// then closes the connection, or leaves it open and silent.
struct Server {
    url: Url,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

/// What follows the bytes.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Close,
    Silence,
}

impl Server {
    async fn start(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        Self::with_end(answer, Then::Close).await
    }

    async fn with_end(answer: impl Fn(usize) -> Vec<u8> + Send + 'static, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let number = Arc::clone(&asked);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                read_head(&mut stream).await;
                let bytes = answer(number.fetch_add(1, Ordering::SeqCst));
                // The client may have seen enough before the end.
                drop(stream.write_all(&bytes).await);
                if then == Then::Silence {
                    silent.push(stream);
                }
            }
        });
        Self {
            url: Url::parse(&url).unwrap(),
            asked,
            _tasks: tasks,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}

/// An answer with a length.
fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", "", body)
}

fn client() -> (HttpClient, Arc<TestClock>) {
    let clock = TestClock::at("2026-11-23T21:00:00Z".parse().unwrap());
    let settings = HttpSettings {
        longest_stall: Some(STALL),
        ..HttpSettings::default()
    };
    let client = HttpClient::new(&settings, clock.clone()).unwrap();
    (client, clock)
}

fn get(server: &Server) -> Request {
    Request::get(server.url.clone(), Limits::SMALL)
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_huge_one_ends_at_the_cap() {
    let mut bomb = GzipEncoder::new(Vec::new());
    bomb.write_all(&vec![b' '; 32 * 1024 * 1024]).await.unwrap();
    bomb.shutdown().await.unwrap();
    let bomb = bomb.into_inner();
    let limit = Limits::SMALL.body_bytes;
    assert!(bomb.len() < limit, "packed to {} bytes", bomb.len());
    let packed = answer("200 OK", "Content-Encoding: gzip\r\n", &bomb);
    let server = Server::start(move |_| packed.clone()).await;
    let (client, _) = client();
    let error = client.fetch(&get(&server)).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: at, .. } if at == limit),
        "{error:?}"
    );
    assert_eq!(error.retry(), Retry::Permanent);
}

#[tokio::test]
async fn a_body_of_the_cap_passes_and_one_more_byte_does_not() {
    let server = Server::start(|number| ok(&vec![b'1'; 64 * 1024 + number])).await;
    let (client, _) = client();
    assert_eq!(
        client.fetch(&get(&server)).await.unwrap().len(),
        Limits::SMALL.body_bytes
    );
    let error = client.fetch(&get(&server)).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_to_the_same_host_is_followed_where_asked_for() {
    let server = Server::start(|number| match number {
        1 => ok(b"{}"),
        _ => answer("302 Found", "Location: object.php?id=1\r\n", b""),
    })
    .await;
    let (client, _) = client();
    let request = get(&server).redirects(Redirects::KnownHosts);
    let response = client.send(&request).await.unwrap();
    assert_eq!(response.url.path(), "/object.php");
    let error = client.send(&get(&server)).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    assert_eq!(server.asked(), 3);
}

#[rstest]
#[case::another_host("http://example.invalid/")]
#[case::another_port("http://127.0.0.1:1/")]
#[case::no_place("http://[")]
#[case::no_scheme_of_ours("file:///etc/passwd")]
#[tokio::test]
async fn a_redirect_elsewhere_is_refused(#[case] place: &'static str) {
    let headers = format!("Location: {place}\r\n");
    let server = Server::start(move |_| answer("302 Found", &headers, b"")).await;
    let (client, _) = client();
    let request = get(&server).redirects(Redirects::KnownHosts);
    let error = client.send(&request).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let server = Server::start(|_| answer("302 Found", "Location: /\r\n", b"")).await;
    let (client, _) = client();
    let request = get(&server).redirects(Redirects::KnownHosts);
    let error = client.send(&request).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    assert_eq!(server.asked(), 6);
}

#[rstest]
#[case::no_header("429 Too Many Requests", "", Retry::RateLimited(None))]
#[case::seconds(
    "429 Too Many Requests",
    "Retry-After: 7\r\n",
    Retry::RateLimited(Some(Duration::from_secs(7)))
)]
#[case::date(
    "429 Too Many Requests",
    "Retry-After: Mon, 23 Nov 2026 21:02:00 GMT\r\n",
    Retry::RateLimited(Some(Duration::from_mins(2)))
)]
#[case::nonsense(
    "429 Too Many Requests",
    "Retry-After: \"soon\"\r\n",
    Retry::RateLimited(None)
)]
#[case::unavailable("503 Service Unavailable", "", Retry::Transient)]
#[case::gone("404 Not Found", "", Retry::Permanent)]
#[case::banned(
    "403 Forbidden",
    "Content-Type: text/html\r\n",
    Retry::Banned(Duration::from_hours(1))
)]
#[tokio::test]
async fn a_refusal_says_what_to_do_next(
    #[case] status: &'static str,
    #[case] headers: &'static str,
    #[case] expected: Retry,
) {
    let server = Server::start(move |_| answer(status, headers, b"<html>no</html>")).await;
    let (client, _) = client();
    let error = client.fetch(&get(&server)).await.unwrap_err();
    assert_eq!(error.retry(), expected, "{error}");
    assert!(error.to_string().contains("<html>no</html>"), "{error}");
}

#[rstest]
#[case::html(ok(b" \n<!DOCTYPE html><html></html>"), "html")]
#[case::empty(ok(b""), "empty_body")]
#[case::blank(ok(b" \r\n\t"), "empty_body")]
#[case::cut(ok(b"{\"a\":1}")[..60].to_vec(), "connection")]
#[case::no_http(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "connection")]
#[case::nothing(Vec::new(), "connection")]
#[case::bad_gzip(
    answer("200 OK", "Content-Encoding: gzip\r\n", b"not gzip at all"),
    "connection"
)]
#[tokio::test]
async fn garbage_is_a_transient_error(#[case] bytes: Vec<u8>, #[case] outcome: &str) {
    let server = Server::start(move |_| bytes.clone()).await;
    let (client, _) = client();
    let error = client.fetch(&get(&server)).await.unwrap_err();
    assert_eq!(error.outcome(), outcome, "{error:?}");
    assert_eq!(error.retry(), Retry::Transient);
}

#[rstest]
#[case::before_the_head(0)]
#[case::within_the_head(20)]
#[case::within_the_body(60)]
#[tokio::test]
async fn a_server_that_falls_silent_is_given_up(#[case] sent: usize) {
    let cut = ok(b"{\"a\":1}")[..sent].to_vec();
    let server = Server::with_end(move |_| cut.clone(), Then::Silence).await;
    let (client, _) = client();
    let error = client.fetch(&get(&server)).await.unwrap_err();
    assert!(
        matches!(error, Error::TimedOut { after, .. } if after == STALL),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_long_poll_may_be_silent_by_design_whatever_the_usual_patience() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        tokio::time::sleep(STALL * 3).await;
        stream.write_all(&ok(b"[]")).await.unwrap();
    });
    let (client, _) = client();
    let request = Request::get(Url::parse(&url).unwrap(), Limits::LONG_POLL);
    assert_eq!(client.fetch(&request).await.unwrap(), "[]");
    server.await.unwrap();
}

#[tokio::test]
async fn a_trickling_stream_ends_when_its_whole_time_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(b"1").await.is_ok() {
            tokio::time::sleep(STALL / 10).await;
        }
    });
    let (client, _) = client();
    let limits = Limits {
        total: STALL * 2,
        ..Limits::SMALL
    };
    let request = Request::get(Url::parse(&url).unwrap(), limits);
    let mut body = client.stream(&request).await.unwrap();
    let error = loop {
        match body.next().await {
            Ok(piece) => assert!(piece.is_some()),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, Error::TimedOut { after, .. } if after == limits.total),
        "{error:?}"
    );
    drop(body);
    server.await.unwrap();
}

#[tokio::test]
async fn a_host_that_keeps_failing_is_left_alone_and_asked_again() {
    let server = Server::start(|number| match number {
        0..6 => answer("500 Internal Server Error", "", b"no"),
        _ => ok(b"{}"),
    })
    .await;
    let (client, clock) = client();
    for _ in 0..5 {
        assert_eq!(
            client.fetch(&get(&server)).await.unwrap_err().outcome(),
            "server_error"
        );
    }
    let error = client.fetch(&get(&server)).await.unwrap_err();
    let Error::BreakerOpen { wait, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(server.asked(), 5, "an open breaker asks nothing");
    clock.advance(wait);
    // The sixth failure opens it again at once, the next answer closes it.
    client.fetch(&get(&server)).await.unwrap_err();
    let error = client.fetch(&get(&server)).await.unwrap_err();
    let Error::BreakerOpen { wait, .. } = error else {
        panic!("{error:?}")
    };
    clock.advance(wait);
    client.fetch(&get(&server)).await.unwrap();
    client.fetch(&get(&server)).await.unwrap();
    assert_eq!(server.asked(), 8);
}

#[tokio::test]
async fn requests_that_queue_for_a_failing_host_are_not_sent_any_more() {
    let server = Server::start(|_| answer("502 Bad Gateway", "", b"no")).await;
    let (client, _) = client();
    client.set_budget(
        &server.url,
        "test",
        Budget::one_in_flight(Duration::from_millis(1)),
    );
    let request = get(&server);
    let errors = futures::future::join_all((0..20).map(|_| client.fetch(&request))).await;
    let sent = errors
        .iter()
        .filter(|error| matches!(error, Err(Error::Status { .. })));
    assert_eq!((sent.count(), server.asked()), (5, 5));
}

#[tokio::test]
async fn one_request_is_under_way_at_a_time_where_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&under_way), Arc::clone(&most));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            connections.spawn(async move {
                read_head(&mut stream).await;
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Room for others to come in, were they let.
                tokio::time::sleep(Duration::from_millis(5)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                stream.write_all(&ok(b"{}")).await.unwrap();
            });
        }
    });
    let (client, _) = client();
    let ask = |client: HttpClient, url: Url| async move {
        let request = Request::get(url, Limits::SMALL);
        client.fetch(&request).await.unwrap();
    };
    client.set_budget(
        &url,
        "test",
        Budget::one_in_flight(Duration::from_millis(1)),
    );
    futures::future::join_all((0..20).map(|_| ask(client.clone(), url.clone()))).await;
    assert_eq!(most.swap(0, Ordering::SeqCst), 1);

    let three = NonZeroU32::new(3).unwrap();
    let budget = Budget {
        period: Duration::from_millis(1),
        burst: three,
        in_flight: three,
    };
    client.set_budget(&url, "test", budget);
    futures::future::join_all((0..20).map(|_| ask(client.clone(), url.clone()))).await;
    assert!((2..=3).contains(&most.load(Ordering::SeqCst)));
    server.abort_all();
}

#[tokio::test]
async fn retries_wait_as_the_server_says_and_give_up_on_a_ban() {
    let server = Server::start(|number| match number {
        0 => answer("429 Too Many Requests", "Retry-After: 20\r\n", b""),
        1 => answer("500 Internal Server Error", "", b""),
        2 => ok(b"{}"),
        _ => answer("403 Forbidden", "", b""),
    })
    .await;
    let (client, clock) = client();
    let attempts = Attempts {
        more: 5,
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(30),
    };
    let repeated = || {
        let (client, request) = (client.clone(), get(&server));
        with_retries(clock.clone(), attempts, move || {
            let (client, request) = (client.clone(), request.clone());
            Box::pin(async move { client.fetch(&request).await })
        })
    };
    repeated().await.unwrap();
    assert!(clock.monotonic() >= Duration::from_secs(21));
    assert_eq!(server.asked(), 3);
    let error = repeated().await.unwrap_err();
    assert!(matches!(error.retry(), Retry::Banned(_)), "{error}");
    assert_eq!(server.asked(), 4);
}
