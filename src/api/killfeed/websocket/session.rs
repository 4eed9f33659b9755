//! One websocket session, from hello to close.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket, close_code};
use tokio::time::{Interval, MissedTickBehavior};

use super::protocol::{self, Inbound};
use crate::api::client_socket::{ClientSocket, End};
use crate::api::events::{Protocol, Pushed, since_commit};
use crate::api::killfeed::encoding;
use crate::api::killfeed::opening::Opening;
use crate::api::limits::{FLUSH_BYTES, MAX_GARBAGE_FRAMES, STREAM_BATCH_EVENTS};
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;
use crate::feed::{Batch, FeedEvent, Reader};

/// Ticks without a sign of life before the client is pinged: one tick is half of the allowed idle time.
const TICKS_TO_PING: u32 = 2;

/// Ticks without a sign of life before the session ends.
const TICKS_TO_CLOSE: u32 = 3;

/// What a session waits for.
enum Wake {
    Shutdown,
    Inbound(Result<Message, End>),
    Batch(crate::feed::Result<Batch>),
    Tick,
}

struct Session {
    socket: ClientSocket,
    reader: Reader,
    state: ApiState,
    ticks: Interval,
    quiet_ticks: u32,
    garbage: u32,
    /// The cursor the client knows of.
    told: FeedSequence,
}

/// Serves a client until either side ends it. Ends by itself at shutdown.
pub(super) async fn run(socket: WebSocket, opening: Opening, state: ApiState) {
    let mut ticks = tokio::time::interval(state.limits.idle_ping / TICKS_TO_PING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    let mut session = Session {
        socket: ClientSocket::new(socket, &state),
        reader: opening.reader,
        ticks,
        quiet_ticks: 0,
        garbage: 0,
        told: opening.cursor,
        state,
    };
    let end = match session.serve(&opening.first).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    tracing::debug!(?end, cursor = %session.told, "websocket session ended");
    session.socket.end(end, Protocol::Json).await;
}

impl Session {
    async fn serve(&mut self, first: &Batch) -> Result<std::convert::Infallible, End> {
        let head = self.state.feed.bounds().head.max(self.told);
        self.socket.say(protocol::hello(self.told, head)).await?;
        self.send_events(&first.events).await?;
        loop {
            match self.wake().await {
                Wake::Shutdown => return Err(End::RESTART),
                Wake::Batch(Ok(batch)) => self.send_events(&batch.events).await?,
                Wake::Batch(Err(error)) => return Err(self.fail(error.into()).await?),
                Wake::Tick => self.tick().await?,
                Wake::Inbound(message) => self.hear(message?).await?,
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let wait = self.state.limits.keep_alive;
        tokio::select! {
            () = self.state.shutdown.cancelled() => Wake::Shutdown,
            message = self.socket.hear() => Wake::Inbound(message),
            batch = self.reader.next(STREAM_BATCH_EVENTS, wait) => Wake::Batch(batch),
            _ = self.ticks.tick() => Wake::Tick,
        }
    }

    /// Sends events, one flush for as many as [`FLUSH_BYTES`] hold.
    async fn send_events(&mut self, events: &[Arc<FeedEvent>]) -> Result<(), End> {
        let mut waiting = 0_usize;
        for event in events {
            let frame = encoding::websocket(event);
            waiting = waiting.saturating_add(frame.len());
            self.socket.feed(frame).await?;
            self.told = event.sequence;
            if waiting >= FLUSH_BYTES {
                self.socket.flush().await?;
                waiting = 0;
            }
        }
        if waiting > 0 {
            self.socket.flush().await?;
        }
        Pushed {
            protocol: "json",
            killmails: events.len(),
            waited: since_commit(&self.state.clock, events),
        }
        .emit();
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), End> {
        self.quiet_ticks += 1;
        if self.quiet_ticks >= TICKS_TO_CLOSE {
            return Err(End::Close(close_code::AWAY, "no sign of life"));
        }
        if self.quiet_ticks == TICKS_TO_PING {
            let ping = Message::Ping(bytes::Bytes::new());
            self.socket.send(ping).await?;
        }
        let cursor = self.reader.cursor();
        if cursor > self.told {
            self.told = cursor;
            self.socket
                .say(protocol::with_cursor("cursor", cursor))
                .await?;
        }
        Ok(())
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.quiet_ticks = 0;
        let heard = match &message {
            Message::Text(text) => protocol::read(text),
            Message::Binary(_) => Err(protocol::Garbage {
                code: "bad_message",
                detail: "messages are JSON text, not binary".to_owned(),
            }),
            // Pings are answered by the library with the next write or read.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
        };
        match heard {
            Ok(Inbound::Ping) => {
                let pong = protocol::with_cursor("pong", self.reader.cursor());
                self.socket.say(pong).await
            }
            Ok(Inbound::Filter(filter)) => {
                self.reader.set_filter(*filter);
                self.told = self.reader.cursor();
                self.socket
                    .say(protocol::with_cursor("filter", self.told))
                    .await
            }
            Err(garbage) => {
                self.garbage += 1;
                self.socket
                    .say(protocol::error(garbage.code, &garbage.detail))
                    .await?;
                if self.garbage >= MAX_GARBAGE_FRAMES {
                    return Err(End::Close(close_code::POLICY, "too many bad messages"));
                }
                Ok(())
            }
        }
    }

    /// Tells what ended the feed, and how the session closes.
    async fn fail(&mut self, error: ApiError) -> Result<End, End> {
        let (code, reason) = match error.code() {
            "shutting_down" => return Ok(End::RESTART),
            "cursor_expired" | "cursor_ahead" => (close_code::POLICY, "cursor can't be served"),
            "internal" => (close_code::ERROR, "internal error"),
            _ => (close_code::AGAIN, "try again later"),
        };
        error.log();
        let problem = error.problem();
        self.socket
            .say(protocol::error(error.code(), problem.detail()))
            .await?;
        Ok(End::Close(code, reason))
    }
}
