//! Webhook subscriptions as WandererKills' clients know them.

mod create;
mod list;

use axum::Router;
use axum::routing::{delete, get};

use crate::api::state::ApiState;

/// The routes, without the layers of the old contract.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/v1/subscriptions",
            get(list::list).post(create::handle),
        )
        .route("/api/v1/subscriptions/stats", get(list::stats))
        .route(
            "/api/v1/subscriptions/{subscriber_id}",
            delete(list::unsubscribe),
        )
}
