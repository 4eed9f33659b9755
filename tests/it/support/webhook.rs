//! A receiver of webhooks, and the task that delivers to it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wanderer_kills::domain::{FeedSequence, Filter, SigningSecret};
use wanderer_kills::feed::webhooks::{self, Settings, WebhookDeps};
use wanderer_kills::runtime::clock::SharedClock;
use wanderer_kills::store::subscriptions::{self, Format, NewSubscription, Subscription};
use wanderer_kills::store::webhook_deliveries::{self, Delivery};
use wanderer_kills::upstream::http::{HttpSettings, LookUp, SystemLookUp};

use super::app::{PATIENCE, TestApp};

/// One request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// With these statuses in turn, the last one for ever, and these further head lines.
    Statuses(Vec<u16>, &'static str),
    /// Never.
    Silent,
    /// With a 200 and a body of a gigabyte.
    Endless,
    /// With these statuses as above, each once there is a permit for it.
    Held(Arc<Semaphore>, Vec<u16>),
}

/// A server that takes webhooks.
pub(crate) struct Receiver {
    address: SocketAddr,
    received: mpsc::Receiver<Received>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::channel(1_000);
        let task = tokio::task::spawn(async move {
            let mut count = 0;
            let mut held = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(request) = read(&mut stream).await else {
                    continue;
                };
                if sender.send(request).await.is_err() {
                    return;
                }
                match &manner {
                    Manner::Silent => held.push(stream),
                    Manner::Endless => drop(tokio::task::spawn(flood(stream))),
                    Manner::Statuses(statuses, lines) => {
                        let status = *statuses.get(count).or(statuses.last()).unwrap();
                        answer(stream, status, lines).await;
                    }
                    Manner::Held(permits, statuses) => {
                        permits.acquire().await.unwrap().forget();
                        let status = *statuses.get(count).or(statuses.last()).unwrap();
                        answer(stream, status, "").await;
                    }
                }
                count += 1;
            }
        });
        Self {
            address,
            received,
            task,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.received.recv());
        next.await.expect("a request").expect("a receiver")
    }

    /// True when nothing has arrived that was not taken.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

async fn answer(mut stream: TcpStream, status: u16, lines: &str) {
    let answer =
        format!("HTTP/1.1 {status} X\r\n{lines}content-length: 2\r\nconnection: close\r\n\r\nok");
    drop(stream.write_all(answer.as_bytes()).await);
}

async fn flood(mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
    let piece = vec![b'x'; 65_536];
    let mut open = stream.write_all(head.as_bytes()).await.is_ok();
    while open {
        open = stream.write_all(&piece).await.is_ok();
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut raw = Vec::new();
    loop {
        let end = raw.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&raw[..end]).into_owned();
            let headers: HashMap<String, String> = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length: usize = headers.get("content-length")?.parse().ok()?;
            if raw.len() >= end + 4 + length {
                let path = head.split_whitespace().nth(1)?.to_owned();
                let body = raw[end + 4..end + 4 + length].to_vec();
                return Some(Received {
                    path,
                    headers,
                    body,
                });
            }
        }
        let mut piece = [0; 8_192];
        let read = stream.read(&mut piece).await.ok()?;
        if read == 0 {
            return None;
        }
        raw.extend_from_slice(&piece[..read]);
    }
}

/// A subscription to everything from the log's beginning.
pub(crate) async fn subscribe(app: &TestApp, id: &str, url: &str, format: Format) {
    let new = NewSubscription {
        subscription_id: id,
        subscriber_id: "me",
        callback_url: url,
        filter: &Filter::default(),
        format,
        secret: &SigningSecret::new([1; 32]),
        cursor: FeedSequence(0),
        created_by: None,
    };
    subscriptions::insert(&app.state.store.pool, &new)
        .await
        .unwrap();
}

/// A subscription's journal, oldest first.
pub(crate) async fn journal(app: &TestApp, id: &str) -> Vec<Delivery> {
    let mut page = webhook_deliveries::page(&app.state.store.pool, id, i64::MAX, 100)
        .await
        .unwrap();
    page.reverse();
    page
}

/// A subscription as it is now.
pub(crate) async fn stored(app: &TestApp, id: &str) -> Subscription {
    let found = subscriptions::get(&app.state.store.pool, id).await;
    found.unwrap().unwrap()
}

/// Waits until the subscription is as wanted.
pub(crate) async fn until(
    app: &TestApp,
    id: &str,
    wanted: impl Fn(&Subscription) -> bool,
) -> Subscription {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = stored(app, id).await;
        if wanted(&found) {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the journal has so many entries.
pub(crate) async fn until_journal(app: &TestApp, id: &str, entries: usize) -> Vec<Delivery> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = journal(app, id).await;
        if found.len() >= entries {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes messages until as many events have come: each once, in order.
pub(crate) async fn expect_events(receiver: &mut Receiver, wanted: &[i64]) {
    let mut got = Vec::new();
    while got.len() < wanted.len() {
        let events = receiver.next().await.json()["events"].clone();
        let ids = events.as_array().unwrap().iter();
        got.extend(ids.map(|event| event["event_id"].as_i64().unwrap()));
    }
    assert_eq!(got, wanted);
}

/// The delivering task; ends in order with [`Deliverer::stop`].
pub(crate) struct Deliverer {
    token: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// Settings without idle waits.
pub(crate) fn quick() -> Settings {
    Settings {
        linger: Duration::from_millis(20),
        look: Duration::from_millis(50),
        ..Settings::default()
    }
}

impl Deliverer {
    /// Delivers for an application, with loopback allowed.
    pub(crate) fn start(app: &TestApp, settings: Settings) -> Self {
        let clock = app.state.clock.clone();
        Self::with(app, settings, clock, "127.0.0.0/8", Arc::new(SystemLookUp))
    }

    pub(crate) fn with(
        app: &TestApp,
        settings: Settings,
        clock: SharedClock,
        allow: &str,
        look_up: Arc<dyn LookUp>,
    ) -> Self {
        let deps = WebhookDeps::with_look_up(
            app.state.store.clone(),
            app.state.feed.clone(),
            clock,
            &[allow.parse().unwrap()],
            &HttpSettings::default(),
            look_up,
        )
        .unwrap()
        .with_settings(settings);
        let token = CancellationToken::new();
        Self {
            task: tokio::task::spawn(webhooks::run(deps, token.clone())),
            token,
        }
    }

    /// Ends it at once, as a crash would.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn stop(self) {
        self.token.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.unwrap().unwrap().unwrap();
    }
}

/// Names that lead to one address after another.
#[derive(Debug, Default)]
pub(crate) struct Turning(pub(crate) std::sync::Mutex<Vec<IpAddr>>);

impl LookUp for Turning {
    fn look_up(
        &self,
        _name: &str,
    ) -> futures::future::BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let mut left = self.0.lock().unwrap();
        let address = if left.len() > 1 {
            left.remove(0)
        } else {
            left[0]
        };
        Box::pin(async move { Ok(vec![address]) })
    }
}

/// A name that leads nowhere until a time has come.
#[derive(Debug)]
pub(crate) struct DownUntil(pub(crate) DateTime<Utc>, pub(crate) SharedClock);

impl LookUp for DownUntil {
    fn look_up(
        &self,
        _name: &str,
    ) -> futures::future::BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        // Nobody listens on the second loopback address.
        let last = if self.1.now() < self.0 { 2 } else { 1 };
        Box::pin(async move { Ok(vec![IpAddr::from([127, 0, 0, last])]) })
    }
}
