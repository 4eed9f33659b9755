//! `GET /socket/websocket`: Phoenix channels, as WandererKills' clients speak them, with one topic,
//! `killmails:lobby`.
//!
//! ```text
//!  connect ──► session ──frame──► lobby messages ──► channel (ids, reader, preload, seam)
//!                 ▲                                     │
//!                 └── killmail_update · kill_count_update · preload_complete
//! ```
//!
//! A connection has one channel at most, and a channel one reader of the feed. Where this differs from
//! WandererKills, `docs/compatibility.md` says so and why.

mod channel;
mod connect;
mod counts;
mod delivery;
mod discovery;
mod frame;
mod id_set;
mod ids;
mod join;
mod lobby;
mod messages;
mod preload;
mod seam;
mod session;

use axum::Router;
use axum::routing::{any, get};

use super::state::ApiState;

pub use lobby::Lobby;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new()
        .route("/websocket", get(discovery::describe))
        .route("/websocket/status", get(discovery::status))
}

/// Connections that stay.
pub(super) fn streaming() -> Router<ApiState> {
    Router::new().route("/socket/websocket", any(connect::handle))
}
