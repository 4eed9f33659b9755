use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{LOBBY, Seen, changed, hundredth};

/// Pings, the client's only sign of life.
const PING_EVERY: Duration = hundredth(30);
/// Waits before it connects again.
const RETRIES: [Duration; 4] = [hundredth(5), hundredth(10), hundredth(30), hundredth(60)];
/// Tries after which it takes a long rest.
const MOST_RETRIES: usize = 10;
const COOL_DOWN: Duration = hundredth(15 * 60);

/// Wanderer's client.
pub(super) struct Wanderer {
    address: SocketAddr,
    systems: watch::Receiver<Vec<i64>>,
    seen: Arc<Mutex<Seen>>,
    retries: usize,
}

/// What the library keeps of one socket.
struct Socket {
    /// The last reference; they count through the socket's life.
    reference: u64,
    /// The reference of the join, once it is confirmed.
    joined: Option<String>,
    join_sent: String,
    unanswered_pings: usize,
    systems: Vec<i64>,
}

impl Wanderer {
    pub(super) fn new(
        address: SocketAddr,
        systems: watch::Receiver<Vec<i64>>,
        seen: Arc<Mutex<Seen>>,
    ) -> Self {
        Self {
            address,
            systems,
            seen,
            retries: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let code = self.connection().await;
            if let Some(code) = code {
                self.seen().ends.insert(code);
            }
            let wait = if self.retries < MOST_RETRIES {
                RETRIES[self.retries.min(RETRIES.len() - 1)]
            } else {
                self.retries = 0;
                COOL_DOWN
            };
            self.retries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// One socket from its opening to its end; the close code, `None` where it never opened.
    async fn connection(&mut self) -> Option<u16> {
        let query = "vsn=2.0.0&heartbeat=30000";
        let url = format!("ws://{}/socket/websocket?{query}", self.address);
        let (mut line, _) = connect_async(url).await.ok()?;
        let systems = self.systems.borrow_and_update().clone();
        let mut socket = Socket {
            reference: 0,
            joined: None,
            join_sent: String::new(),
            unanswered_pings: 0,
            systems,
        };
        let join = socket.join();
        line.send(Message::text(join)).await.ok()?;
        let mut pings = tokio::time::interval(PING_EVERY);
        loop {
            let outgoing = tokio::select! {
                message = line.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        if !self.frame(&mut socket, &text) {
                            return Some(0);
                        }
                        continue;
                    }
                    Some(Ok(Message::Pong(_))) => {
                        socket.unanswered_pings = 0;
                        continue;
                    }
                    Some(Ok(Message::Close(close))) => {
                        return Some(close.map_or(0, |close| close.code.into()));
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return Some(0),
                },
                _ = pings.tick() => {
                    socket.unanswered_pings += 1;
                    vec![Message::Ping(Vec::new().into())]
                }
                systems = changed(&mut self.systems, &socket.systems), if socket.joined.is_some() => {
                    let (outgoing, taken) = socket.changes(systems);
                    self.seen().taken_again.extend(taken);
                    outgoing
                }
            };
            for message in outgoing {
                if line.send(message).await.is_err() {
                    return Some(0);
                }
            }
        }
    }

    /// Takes a frame; false where the library disconnects.
    fn frame(&mut self, socket: &mut Socket, text: &str) -> bool {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let parts = frame.as_array().map_or(&[][..], Vec::as_slice);
        let [join_ref, reference, topic, event, payload] = parts else {
            self.seen().problems.push(format!("no V2 frame: {text}"));
            return false;
        };
        if topic != LOBBY {
            self.seen().problems.push(format!("foreign topic: {text}"));
            return false;
        }
        let of_this_join = Some(join_ref) == socket.joined.as_ref().map(|it| json!(it)).as_ref();
        match event.as_str().unwrap_or_default() {
            // The library takes these for the answer to a join.
            "phx_reply" if join_ref.is_null() || join_ref == reference => {
                if payload["status"] != "ok" || *reference != socket.join_sent {
                    self.seen().problems.push(format!("join refused: {text}"));
                    return false;
                }
                socket.joined = Some(socket.join_sent.clone());
                self.retries = 0;
                let mut seen = self.seen();
                seen.connections += 1;
                seen.joined();
                true
            }
            "phx_reply" => {
                if payload["status"] != "ok" || !of_this_join {
                    self.seen().problems.push(format!("push refused: {text}"));
                }
                true
            }
            "phx_close" | "phx_error" => !of_this_join,
            _ if !of_this_join => {
                self.seen()
                    .problems
                    .push(format!("before the join: {text}"));
                true
            }
            "killmail_update" => {
                self.seen().update(payload);
                true
            }
            "kill_count_update" => {
                self.seen().count(payload);
                true
            }
            _ => true,
        }
    }
}

impl Socket {
    fn next_reference(&mut self) -> String {
        self.reference += 1;
        self.reference.to_string()
    }

    fn join(&mut self) -> String {
        self.join_sent = self.next_reference();
        let payload = json!({ "systems": self.systems, "client_identifier": "wanderer_app" });
        json!([self.join_sent, self.join_sent, LOBBY, "phx_join", payload]).to_string()
    }

    /// The pushes that follow a change of what is on the maps, and the systems that came.
    fn changes(&mut self, systems: Vec<i64>) -> (Vec<Message>, Vec<i64>) {
        let missing = |from: &[i64], among: &[i64]| -> Vec<i64> {
            let missing = from.iter().filter(|system| !among.contains(system));
            missing.copied().collect()
        };
        let taken = missing(&systems, &self.systems);
        let changes = [
            ("subscribe_systems", taken.clone()),
            ("unsubscribe_systems", missing(&self.systems, &systems)),
        ];
        self.systems = systems;
        let messages = changes
            .into_iter()
            .filter(|(_, systems)| !systems.is_empty())
            .map(|(event, systems)| {
                let reference = self.next_reference();
                let payload = json!({ "systems": systems });
                Message::text(json!([self.joined, reference, LOBBY, event, payload]).to_string())
            })
            .collect();
        (messages, taken)
    }
}
