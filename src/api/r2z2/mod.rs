//! R2Z2 outward: the feed as numbered files, for tools that poll zKillboard's.
//!
//! | path | answer |
//! |---|---|
//! | `/ephemeral/sequence.json` | `{"sequence":N}`, the newest number |
//! | `/ephemeral/{n}.json` | `{"killmail_id","hash","esi","zkb","uploaded_at","sequence_id"}` or 404 |
//!
//! Numbers are those of the feed, so they have no holes and a number is there once it is the newest. A number
//! that is not there yet and one that is not kept any more are both 404, as such tools expect. A killmail
//! whose values or labels changed comes again under a new number, whole; an earlier number then shows the new
//! values too, which is why `sequence_updated` is never needed. `hash` is null where it is unknown.

mod document;
mod sequence;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(sequence::handle))
        .routes(routes!(document::handle))
}
