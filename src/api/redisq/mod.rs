//! RedisQ outward: a queue per reader, kept by the server, as zKillboard offered it until 2026-05.
//!
//! | path | answer |
//! |---|---|
//! | `/listen.php?queueID=…` | 302 to the next package, once there is one; to none after `ttw` seconds |
//! | `/object.php?objectID=…` | `{"package":{"killID","killmail","zkb"}}`, or `{"package":null}` |
//!
//! `ttw` is 1 to 10 seconds (10), `ttl` the 1 to 10800 seconds for which the queue is remembered after the
//! poll (10800), `filter` what goes through: conditions like `totalValue>=1000000000`, joined by `;` (all of
//! them) or by `,` (any of them). A new queue starts at the newest event, gets each new killmail once and no
//! updates. As ever with RedisQ, delivery is at most once: the queue moves when
//! the redirect is written. 429 without a `queueID`, beside another poll of the same queue, and beyond two
//! polls a second from one address. Other parameters are passed over.

mod desk;
mod filter;
mod listen;
mod object;
mod package;
mod parameters;

use std::sync::Arc;

use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// Packages: requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(object::handle))
}

/// Polls: they wait, and look after their own time.
pub(super) fn polling(state: &ApiState) -> OpenApiRouter<ApiState> {
    let desk = Arc::new(desk::Desk::new(Arc::clone(&state.clock)));
    OpenApiRouter::new()
        .routes(routes!(listen::handle))
        .layer(Extension(desk))
}
