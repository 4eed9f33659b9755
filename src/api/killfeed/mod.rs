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
pub(in crate::api) mod shapes;
mod stream;
mod websocket;

pub use client_id::ClientError;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(next::handle))
}

/// The poll: it ends soon or waits, as the request says, and looks after its own time.
pub(super) fn polling() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(poll::handle))
}

/// Connections that stay.
pub(super) fn streaming() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(stream::handle))
        .routes(routes!(websocket::handle))
}
