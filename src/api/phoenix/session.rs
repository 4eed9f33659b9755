//! One connection, from upgrade to close.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, close_code};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use rand::Rng;

use super::channel::Channel;
use super::frame::Version;
use crate::api::ApiState;
use crate::api::client_socket::{ClientSocket, End};
use crate::api::events::Protocol;
use crate::api::limits::STREAM_BATCH_EVENTS;
use crate::feed::Batch;
use crate::feed::reader::MAX_WAIT;

/// Random bytes that tell the users of one name apart.
const USER_ID_BYTES: usize = 8;

/// What a session waits for.
enum Wake {
    Shutdown,
    Inbound(Result<Message, End>),
    Due,
    Preload,
    Batch(crate::feed::Result<Batch>),
}

/// A connection and its channel.
pub(super) struct Session {
    pub(super) socket: ClientSocket,
    pub(super) state: ApiState,
    pub(super) version: Version,
    pub(super) channel: Option<Box<Channel>>,
    pub(super) user_id: String,
    pub(super) connected_at: DateTime<Utc>,
    /// Monotonic time of the last frame from the client.
    heard: Duration,
}

/// Serves a client until either side ends it. Ends by itself at shutdown. `client` is what it calls itself.
pub(super) async fn run(
    socket: WebSocket,
    version: Version,
    client: Option<String>,
    state: ApiState,
) {
    let connected_at = state.clock.now();
    let mut session = Session {
        socket: ClientSocket::new(socket, &state),
        version,
        channel: None,
        user_id: user_id(client, connected_at),
        connected_at,
        heard: state.clock.monotonic(),
        state,
    };
    let end = match session.serve().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    tracing::debug!(?end, user_id = session.user_id, "phoenix session ended");
    session.socket.end(end, Protocol::Phoenix).await;
}

impl Session {
    async fn serve(&mut self) -> Result<Infallible, End> {
        loop {
            match self.wake().await {
                Wake::Shutdown => return Err(End::RESTART),
                Wake::Inbound(message) => self.hear(message?).await?,
                Wake::Due => self.due().await?,
                Wake::Preload => self.preload_page().await?,
                Wake::Batch(batch) => self.batch(batch).await?,
            }
        }
    }

    /// What comes first. While a preload is going on, the feed waits.
    async fn wake(&mut self) -> Wake {
        let pause = self.next_due().saturating_sub(self.state.clock.monotonic());
        let now = self.state.clock.monotonic();
        let channel = self.channel.as_deref_mut();
        let preloading = channel.as_ref().is_some_and(|it| it.preload.is_some());
        let events = async {
            match channel {
                Some(channel) if channel.listens() && channel.paused_until <= now => {
                    channel.reader.next(STREAM_BATCH_EVENTS, MAX_WAIT).await
                }
                Some(_) | None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.state.shutdown.cancelled() => Wake::Shutdown,
            message = self.socket.hear() => Wake::Inbound(message),
            () = tokio::time::sleep(pause) => Wake::Due,
            () = std::future::ready(()), if preloading => Wake::Preload,
            batch = events => Wake::Batch(batch),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard = self.state.clock.monotonic();
        match message {
            Message::Text(text) => self.answer(&text).await,
            Message::Binary(_) => Err(UNDECODABLE),
            // Pings are answered by the library with the next write or read.
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(End::Gone),
        }
    }

    /// When there is something to do even if nothing happens.
    fn next_due(&self) -> Duration {
        let idle = self.heard + self.state.limits.phoenix_idle;
        let Some(channel) = &self.channel else {
            return idle;
        };
        let quiet = channel.told + self.state.limits.phoenix_keep_alive;
        let quiet = channel.any_system().map(|_| quiet);
        let now = self.state.clock.monotonic();
        let resumed = Some(channel.paused_until).filter(|until| *until > now);
        [quiet, resumed, channel.counts.next()]
            .into_iter()
            .flatten()
            .fold(idle, Duration::min)
    }

    async fn due(&mut self) -> Result<(), End> {
        let now = self.state.clock.monotonic();
        if now >= self.heard + self.state.limits.phoenix_idle {
            return Err(End::Close(close_code::NORMAL, ""));
        }
        self.tell_counts(now).await?;
        self.break_silence(now).await
    }
}

/// How a connection ends whose client sent what is no message.
pub(super) const UNDECODABLE: End = End::Close(close_code::ERROR, "");

/// Random bytes as text that fits into a URL.
pub(super) fn random_id(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    BASE64_URL_SAFE_NO_PAD.encode(random)
}

/// Who a connection is: what it calls itself, when it came, and something random.
fn user_id(client: Option<String>, connected_at: DateTime<Utc>) -> String {
    let random = random_id(USER_ID_BYTES);
    let prefix = client.filter(|client| !client.is_empty());
    let prefix = prefix.map(|client| client + "_").unwrap_or_default();
    format!("{prefix}{}_{random}", connected_at.timestamp_micros())
}

/// A time as payloads write it: ISO 8601, microseconds, `Z`.
pub(super) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
