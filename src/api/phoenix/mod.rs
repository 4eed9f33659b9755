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
mod shapes;

use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

pub use lobby::Lobby;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(discovery::describe))
        .routes(routes!(discovery::status))
}

/// Connections that stay.
pub(super) fn streaming() -> OpenApiRouter<ApiState> {
    // Other methods than GET have an answer of their own there, which no client is told to ask for.
    let (schemas, paths, _) = routes!(connect::handle);
    OpenApiRouter::new().routes((schemas, paths, any(connect::handle)))
}
