use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::{LOBBY, Seen, changed, hundredth};

/// Heartbeats; it sends them once it is joined.
const HEARTBEAT_EVERY: Duration = hundredth(30);
/// The first and the longest wait before it connects, or joins, again.
const FIRST_WAIT: Duration = hundredth(1);
const LONGEST_WAIT: Duration = hundredth(60);
/// Changes of what is tracked are looked for this often.
const LOOK_EVERY: Duration = hundredth(5 * 60);

/// Wanderer Notifier's client.
pub(super) struct Notifier {
    address: SocketAddr,
    systems: watch::Receiver<Vec<i64>>,
    characters: Vec<i64>,
    seen: Arc<Mutex<Seen>>,
    wait: Duration,
    joins_sent: u64,
}

/// One socket.
#[derive(Default)]
struct Socket {
    /// The reference of the last join.
    join: String,
    is_joined: bool,
    /// References of heartbeats that are not answered yet: a slow machine answers late.
    heartbeats: Vec<String>,
    /// What the last join asked for.
    systems: Vec<i64>,
}

/// What follows from a frame.
enum Then {
    GoOn,
    JoinAgain,
    Disconnect,
}

impl Notifier {
    pub(super) fn new(
        address: SocketAddr,
        systems: watch::Receiver<Vec<i64>>,
        characters: Vec<i64>,
        seen: Arc<Mutex<Seen>>,
    ) -> Self {
        Self {
            address,
            systems,
            characters,
            seen,
            wait: FIRST_WAIT,
            joins_sent: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let code = self.connection().await;
            if let Some(code) = code {
                self.seen().ends.insert(code);
            }
            self.pause().await;
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    async fn pause(&mut self) {
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    /// One socket from its opening to its end; the close code, `None` where it never opened.
    async fn connection(&mut self) -> Option<u16> {
        let url = format!("ws://{}/socket/websocket?vsn=1.0.0", self.address);
        let mut request = url.into_client_request().ok()?;
        let headers = request.headers_mut();
        headers.insert("origin", "http://localhost".parse().ok()?);
        let agent = "WandererNotifier/1.0 (Elixir WebSockex)";
        headers.insert("user-agent", agent.parse().ok()?);
        let (mut line, _) = connect_async(request).await.ok()?;
        let mut socket = Socket::default();
        line.send(self.join(&mut socket)).await.ok()?;
        let mut heartbeats = tokio::time::interval(HEARTBEAT_EVERY);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let outgoing = tokio::select! {
                message = line.next() => match message {
                    Some(Ok(Message::Text(text))) => match self.frame(&mut socket, &text) {
                        Then::GoOn => continue,
                        Then::Disconnect => return Some(0),
                        Then::JoinAgain => {
                            self.pause().await;
                            self.join(&mut socket)
                        }
                    },
                    Some(Ok(Message::Close(close))) => {
                        return Some(close.map_or(0, |close| close.code.into()));
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return Some(0),
                },
                _ = heartbeats.tick(), if socket.is_joined => {
                    let reference = format!("heartbeat_{}", Utc::now().timestamp_millis());
                    let heartbeat = frame(("phoenix", "heartbeat", json!({}), &reference));
                    socket.heartbeats.push(reference);
                    heartbeat
                }
                _ = look.tick(), if socket.is_joined && self.is_changed(&socket) => {
                    changed(&mut self.systems, &socket.systems).await;
                    self.join(&mut socket)
                }
            };
            if line.send(outgoing).await.is_err() {
                return Some(0);
            }
        }
    }

    fn is_changed(&self, socket: &Socket) -> bool {
        *self.systems.borrow() != socket.systems
    }

    /// A join, the first of a socket or one in place of an earlier one.
    fn join(&mut self, socket: &mut Socket) -> Message {
        socket.systems = self.systems.borrow_and_update().clone();
        self.joins_sent += 1;
        let now = Utc::now().timestamp_millis();
        socket.join = format!("join_{now}_{}", self.joins_sent);
        let preload = if socket.systems.is_empty() && self.characters.is_empty() {
            json!({ "enabled": false })
        } else {
            json!({ "enabled": true, "limit_per_system": 20, "since_hours": 12 })
        };
        let payload = json!({
            "systems": socket.systems, "character_ids": self.characters, "preload": preload,
        });
        frame((LOBBY, "phx_join", payload, &socket.join))
    }

    fn frame(&mut self, socket: &mut Socket, text: &str) -> Then {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let keys = frame.as_object().map(|it| it.keys().collect::<Vec<_>>());
        if keys.is_none_or(|keys| keys != ["event", "payload", "ref", "topic"]) {
            self.seen().problems.push(format!("no V1 frame: {text}"));
            return Then::Disconnect;
        }
        let payload = &frame["payload"];
        match frame["event"].as_str().unwrap_or_default() {
            "phx_reply" if payload["status"] != "ok" => {
                self.seen().problems.push(format!("refused: {text}"));
                return Then::JoinAgain;
            }
            "phx_reply" if frame["ref"] == socket.join => {
                self.wait = FIRST_WAIT;
                let mut seen = self.seen();
                if !socket.is_joined {
                    seen.connections += 1;
                }
                seen.joined();
                socket.is_joined = true;
            }
            "phx_reply" => match socket.heartbeats.iter().position(|it| frame["ref"] == **it) {
                Some(place) => drop(socket.heartbeats.remove(place)),
                None => self.seen().problems.push(format!("whose reply: {text}")),
            },
            "killmail_update" => self.seen().update(payload),
            "kill_count_update" => self.seen().count(payload),
            // Logged: a `phx_close` of an earlier join is one of these. The answer to a heartbeat is not.
            _ => {}
        }
        Then::GoOn
    }
}

fn frame((topic, event, payload, reference): (&str, &str, Value, &str)) -> Message {
    let frame = json!({ "topic": topic, "event": event, "payload": payload, "ref": reference });
    Message::text(frame.to_string())
}
