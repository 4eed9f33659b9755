//! Backfills for operators: asked for here, done by the one process that has the duty.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/backfills` | 202 with the backfill; body `{"from":"2024-01-01","to":"2024-01-31","source":"everef"}` |
//! | `GET /api/backfills` | `{"backfills":[…]}`, the newest hundred |
//! | `GET /api/backfills/{id}` | the backfill, with how far it has come |
//! | `DELETE /api/backfills/{id}` | 202 with the backfill; it stops after the batches under way |
//!
//! Every request shows `WK_ADMIN_TOKEN` as `Authorization: Bearer …`. Where the service has none, the answer is 403.

mod ask;
mod shapes;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(ask::handle, view::list))
        .routes(routes!(view::handle, view::cancel))
}
