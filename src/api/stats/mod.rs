//! Statistics over what is stored.

mod activity;
mod cache;
mod completeness;
mod parameters;
mod read;
mod related;
mod summary;
mod tally;
mod top;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;
pub(super) use cache::Cache;

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(activity::handle))
        .routes(routes!(completeness::handle))
        .routes(routes!(top::handle))
        .routes(routes!(summary::character))
        .routes(routes!(summary::corporation))
        .routes(routes!(summary::alliance))
        .routes(routes!(related::handle))
}
