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

mod admin;
mod ask;
mod view;

use axum::Router;
use axum::routing::{get, post};

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new()
        .route("/api/backfills", post(ask::handle).get(view::list))
        .route(
            "/api/backfills/{id}",
            get(view::handle).delete(view::cancel),
        )
}
