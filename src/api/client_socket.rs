//! A websocket whose every wait is bounded, and the ways in which it ends.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use bytes::Bytes;
use futures::SinkExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;

use super::events::{Protocol, SlowClientClosed};
use super::limits::{
    CLOSE_HANDSHAKE, MAX_INBOUND_FRAME_BYTES, MAX_WEBSOCKET_BUFFER_BYTES,
    WEBSOCKET_READ_BUFFER_BYTES, WEBSOCKET_WRITE_BUFFER_BYTES,
};
use super::state::ApiState;

/// Why a session ends.
#[derive(Debug)]
pub(super) enum End {
    /// The other side is gone: there is nobody to say goodbye to.
    Gone,
    /// The other side takes nothing.
    Slow,
    /// We end it, with a close frame.
    Close(u16, &'static str),
}

impl End {
    /// The service stops.
    pub(super) const RESTART: Self = Self::Close(close_code::RESTART, "restarting");
}

/// One write on the socket.
enum Write {
    Feed(Message),
    Send(Message),
    Flush,
}

/// The server's end of a websocket.
#[derive(Debug)]
pub(super) struct ClientSocket {
    socket: WebSocket,
    send_timeout: Duration,
    shutdown: CancellationToken,
}

/// The upgrade with the limits that all our websockets have.
pub(super) fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_INBOUND_FRAME_BYTES)
        .max_frame_size(MAX_INBOUND_FRAME_BYTES)
        .read_buffer_size(WEBSOCKET_READ_BUFFER_BYTES)
        .write_buffer_size(WEBSOCKET_WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WEBSOCKET_BUFFER_BYTES)
}

impl ClientSocket {
    /// Wraps an upgraded connection.
    pub(super) fn new(socket: WebSocket, state: &ApiState) -> Self {
        Self {
            socket,
            send_timeout: state.limits.send_timeout,
            shutdown: state.shutdown.clone(),
        }
    }

    /// The next message. Cancel safe.
    pub(super) async fn hear(&mut self) -> Result<Message, End> {
        match self.socket.recv().await {
            None => Err(End::Gone),
            Some(message) => message.map_err(unreadable),
        }
    }

    /// Sends a text message at once.
    pub(super) async fn say(&mut self, frame: String) -> Result<(), End> {
        self.send(Message::Text(frame.into())).await
    }

    /// Sends a message at once.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), End> {
        self.bounded(Write::Send(message)).await
    }

    /// Adds a text message to what the next flush sends.
    pub(super) async fn feed(&mut self, frame: Bytes) -> Result<(), End> {
        let text = Utf8Bytes::try_from(frame)
            .map_err(|_| End::Close(close_code::ERROR, "unreadable document"))?;
        self.bounded(Write::Feed(Message::Text(text))).await
    }

    /// Sends what was fed.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        self.bounded(Write::Flush).await
    }

    /// Writes, or gives up on a client that takes nothing, or at shutdown.
    async fn bounded(&mut self, write: Write) -> Result<(), End> {
        let socket = &mut self.socket;
        let written = timeout(self.send_timeout, async {
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
            () = self.shutdown.cancelled() => Err(End::RESTART),
        }
    }

    /// Ends the connection as `end` says.
    pub(super) async fn end(&mut self, end: End, protocol: Protocol) {
        match end {
            End::Gone => {}
            End::Slow => SlowClientClosed { protocol }.emit(),
            End::Close(code, reason) => self.close(code, reason).await,
        }
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
