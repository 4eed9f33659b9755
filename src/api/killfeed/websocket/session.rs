//! One websocket session, from hello to close.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures::SinkExt;
use tokio::time::{Interval, MissedTickBehavior, timeout};
use tokio_tungstenite::tungstenite;

use super::protocol::{self, Inbound};
use crate::api::events::{Protocol, SlowClientClosed};
use crate::api::killfeed::encoding;
use crate::api::killfeed::opening::Opening;
use crate::api::limits::{CLOSE_HANDSHAKE, FLUSH_BYTES, MAX_GARBAGE_FRAMES, STREAM_BATCH_EVENTS};
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;
use crate::feed::{Batch, FeedEvent, Reader};

/// Ticks without a sign of life before the client is pinged: one tick is half of the allowed idle time.
const TICKS_TO_PING: u32 = 2;

/// Ticks without a sign of life before the session ends.
const TICKS_TO_CLOSE: u32 = 3;

/// Why a session ends.
#[derive(Debug)]
enum End {
    /// The other side is gone: there is nobody to say goodbye to.
    Gone,
    /// The other side takes nothing.
    Slow,
    /// We end it, with a close frame.
    Close(u16, &'static str),
}

/// What a session waits for.
enum Wake {
    Shutdown,
    Inbound(Option<Result<Message, axum::Error>>),
    Batch(crate::feed::Result<Batch>),
    Tick,
}

struct Session {
    socket: WebSocket,
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
        socket,
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
    match end {
        End::Gone => {}
        End::Slow => SlowClientClosed {
            protocol: Protocol::Json,
        }
        .emit(),
        End::Close(code, reason) => session.close(code, reason).await,
    }
}

impl Session {
    async fn serve(&mut self, first: &Batch) -> Result<std::convert::Infallible, End> {
        let head = self.state.feed.bounds().head.max(self.told);
        self.say(protocol::hello(self.told, head)).await?;
        self.send_events(&first.events).await?;
        loop {
            match self.wake().await {
                Wake::Shutdown => return Err(End::Close(close_code::RESTART, "restarting")),
                Wake::Batch(Ok(batch)) => self.send_events(&batch.events).await?,
                Wake::Batch(Err(error)) => return Err(self.fail(error.into()).await?),
                Wake::Tick => self.tick().await?,
                Wake::Inbound(None) => return Err(End::Gone),
                Wake::Inbound(Some(Err(error))) => return Err(unreadable(error)),
                Wake::Inbound(Some(Ok(message))) => self.hear(message).await?,
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let wait = self.state.limits.keep_alive;
        tokio::select! {
            () = self.state.shutdown.cancelled() => Wake::Shutdown,
            message = self.socket.recv() => Wake::Inbound(message),
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
            let text = Utf8Bytes::try_from(frame)
                .map_err(|_| End::Close(close_code::ERROR, "unreadable document"))?;
            self.bounded(Write::Feed(Message::Text(text))).await?;
            self.told = event.sequence;
            if waiting >= FLUSH_BYTES {
                self.bounded(Write::Flush).await?;
                waiting = 0;
            }
        }
        if waiting > 0 {
            self.bounded(Write::Flush).await?;
        }
        Ok(())
    }

    async fn say(&mut self, frame: String) -> Result<(), End> {
        self.bounded(Write::Send(Message::Text(frame.into()))).await
    }

    /// Writes, or gives up on a client that takes nothing, or at shutdown.
    async fn bounded(&mut self, write: Write) -> Result<(), End> {
        let socket = &mut self.socket;
        let written = timeout(self.state.limits.send_timeout, async {
            match write {
                Write::Feed(message) => socket.feed(message).await,
                Write::Send(message) => SinkExt::send(socket, message).await,
                Write::Flush => SinkExt::flush(socket).await,
            }
        });
        tokio::select! {
            biased;
            written = written => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(unwritable(error)),
                Err(_) => Err(End::Slow),
            },
            () = self.state.shutdown.cancelled() => Err(End::Close(close_code::RESTART, "restarting")),
        }
    }

    async fn tick(&mut self) -> Result<(), End> {
        self.quiet_ticks += 1;
        if self.quiet_ticks >= TICKS_TO_CLOSE {
            return Err(End::Close(close_code::AWAY, "no sign of life"));
        }
        if self.quiet_ticks == TICKS_TO_PING {
            let ping = Message::Ping(bytes::Bytes::new());
            self.bounded(Write::Send(ping)).await?;
        }
        let cursor = self.reader.cursor();
        if cursor > self.told {
            self.told = cursor;
            self.say(protocol::with_cursor("cursor", cursor)).await?;
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
                self.say(pong).await
            }
            Ok(Inbound::Filter(filter)) => {
                self.reader.set_filter(*filter);
                self.told = self.reader.cursor();
                self.say(protocol::with_cursor("filter", self.told)).await
            }
            Err(garbage) => {
                self.garbage += 1;
                self.say(protocol::error(garbage.code, &garbage.detail))
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
            "shutting_down" => return Ok(End::Close(close_code::RESTART, "restarting")),
            "cursor_expired" | "cursor_ahead" => (close_code::POLICY, "cursor can't be served"),
            "internal" => (close_code::ERROR, "internal error"),
            _ => (close_code::AGAIN, "try again later"),
        };
        error.log();
        let problem = error.problem();
        self.say(protocol::error(error.code(), problem.detail()))
            .await?;
        Ok(End::Close(code, reason))
    }

    /// Says goodbye and waits a moment for the answer: closing at once could reach the client before the
    /// frame does.
    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = Message::Close(Some(CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        }));
        let goodbye = async {
            if SinkExt::send(&mut self.socket, frame).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        if timeout(CLOSE_HANDSHAKE, goodbye).await.is_err() {
            tracing::debug!("the client did not answer the close frame");
        }
    }
}

/// One write on the socket.
enum Write {
    Feed(Message),
    Send(Message),
    Flush,
}

/// How a session ends whose client can't be written to. The connection has its own limit on waiting, which
/// may run out first.
fn unwritable(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => {
            End::Slow
        }
        _ => End::Gone,
    }
}

/// How a session ends whose client sent what no message can be read from.
fn unreadable(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => End::Close(close_code::SIZE, "message too large"),
        Some(tungstenite::Error::Utf8(_)) => End::Close(close_code::INVALID, "not UTF-8"),
        Some(tungstenite::Error::Protocol(_)) => {
            End::Close(close_code::PROTOCOL, "broken websocket frame")
        }
        _ => End::Gone,
    }
}
