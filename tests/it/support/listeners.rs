//! Listeners of every kind, which reconnect with their cursor for as long as it takes.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::sse::BareBlocks;

/// Pause before a listener tries to connect again.
const RECONNECT: Duration = Duration::from_millis(30);

/// What one listener has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    events: Vec<(i64, String, i64)>,
    connections: usize,
}

/// One listener of some kind, running until dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) kind: &'static str,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    /// Polls with `after` and `wait`.
    pub(crate) fn poll(address: SocketAddr) -> Self {
        Self::run("long poll", move |seen| async move {
            loop {
                seen.lock().unwrap().connections += 1;
                let path = format!("/api/killfeed?after={}&limit=50&wait=5", cursor(&seen));
                match super::http::get(address, &path).await {
                    Ok(answer) if answer.status == 200 => {
                        for event in answer.json()["events"].as_array().unwrap() {
                            record(&seen, event);
                        }
                    }
                    Ok(_) | Err(_) => tokio::time::sleep(RECONNECT).await,
                }
            }
        })
    }

    /// Server-sent events, resumed by `Last-Event-ID`.
    pub(crate) fn sse(address: SocketAddr) -> Self {
        Self::run("server-sent events", move |seen| async move {
            loop {
                seen.lock().unwrap().connections += 1;
                let last = cursor(&seen);
                if let Err(error) = read_sse(address, last, &seen).await {
                    tracing::debug!(%error, "stream ended");
                }
                tokio::time::sleep(RECONNECT).await;
            }
        })
    }

    /// The plain websocket, resumed by `after`.
    pub(crate) fn websocket(address: SocketAddr) -> Self {
        Self::run("websocket", move |seen| async move {
            loop {
                seen.lock().unwrap().connections += 1;
                let url = format!("ws://{address}/api/killfeed/ws?after={}", cursor(&seen));
                if let Ok((mut socket, _)) = tokio_tungstenite::connect_async(url).await {
                    while let Some(Ok(message)) = socket.next().await {
                        if let Message::Text(text) = message {
                            let frame: Value = serde_json::from_str(&text).unwrap();
                            if frame["type"] == "killmail" {
                                record(&seen, &frame["event"]);
                            }
                        }
                    }
                }
                tokio::time::sleep(RECONNECT).await;
            }
        })
    }

    fn run<F, Fut>(kind: &'static str, listen: F) -> Self
    where
        F: FnOnce(Arc<Mutex<Seen>>) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let seen = Arc::<Mutex<Seen>>::default();
        let task = tokio::task::spawn(listen(Arc::clone(&seen)));
        Self { kind, seen, task }
    }

    /// How many different killmails it has seen.
    pub(crate) fn distinct(&self) -> usize {
        self.seen
            .lock()
            .unwrap()
            .events
            .iter()
            .map(|(_, _, id)| *id)
            .collect::<HashSet<_>>()
            .len()
    }

    /// How often it connected.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// Every event so far: sequence, kind, killmail id.
    pub(crate) fn events(&self) -> Vec<(i64, String, i64)> {
        self.seen.lock().unwrap().events.clone()
    }
}

fn cursor(seen: &Mutex<Seen>) -> i64 {
    seen.lock()
        .unwrap()
        .events
        .last()
        .map_or(0, |(sequence, _, _)| *sequence)
}

fn record(seen: &Mutex<Seen>, event: &Value) {
    let entry = (
        event["event_id"].as_i64().unwrap(),
        event["kind"].as_str().unwrap().to_owned(),
        event["killmail"]["killmail_id"].as_i64().unwrap(),
    );
    seen.lock().unwrap().events.push(entry);
}

async fn read_sse(address: SocketAddr, last: i64, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut blocks = BareBlocks::open(address, "/api/killfeed/stream", last).await?;
    while let Some(block) = blocks.next().await? {
        if block.event.is_empty() && !block.data.is_empty() {
            record(seen, &block.json());
        }
    }
    Ok(())
}
