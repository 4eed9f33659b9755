//! The feed log over HTTP. All of these are the same reader: a cursor and a filter.
//!
//! The cursor is the `event_id` of the last event a client has seen. 0 stands for the oldest event that is
//! kept. A cursor older than the log is answered with `cursor_expired` and the oldest one that works.

mod client_id;
mod encoding;
mod next;
pub(super) mod opening;
mod page;
mod poll;
mod stream;
mod websocket;

pub use client_id::ClientError;

use axum::Router;
use axum::routing::get;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new().route("/api/killfeed/next", get(next::handle))
}

/// The poll: it ends soon or waits, as the request says, and looks after its own time.
pub(super) fn polling() -> Router<ApiState> {
    Router::new().route("/api/killfeed", get(poll::handle))
}

/// Connections that stay.
pub(super) fn streaming() -> Router<ApiState> {
    Router::new()
        .route("/api/killfeed/stream", get(stream::handle))
        .route("/api/killfeed/ws", get(websocket::handle))
}
