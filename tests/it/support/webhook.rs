//! A receiver of webhooks, and the task that delivers to it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wanderer_kills::feed::webhooks::{self, Settings, WebhookDeps};
use wanderer_kills::runtime::clock::SharedClock;
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
    /// With a 200 and a body without end.
    Endless,
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
                        let status = statuses.get(count).or(statuses.last()).unwrap();
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\n{lines}content-length: 2\r\nconnection: close\r\n\r\nok"
                        );
                        drop(stream.write_all(answer.as_bytes()).await);
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
