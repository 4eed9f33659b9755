//! What operators and orchestrators look at. None of it waits for a place among the requests: a busy
//! server is not a sick one.

mod health;
mod metrics;
mod ping;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(ping::handle))
        .routes(routes!(health::handle))
        .routes(routes!(health::handle_api))
        .routes(routes!(health::probes::live))
        .routes(routes!(health::probes::ready))
        .routes(routes!(metrics::handle))
}
