//! What operators and orchestrators look at. None of it waits for a place among the requests: a busy
//! server is not a sick one.

mod health;
mod metrics;
mod ping;

use axum::Router;
use axum::routing::get;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> Router<ApiState> {
    Router::new()
        .route("/ping", get(ping::handle))
        .route("/health", get(health::handle))
        .route("/api/health", get(health::handle))
        .route("/metrics", get(metrics::handle))
}
