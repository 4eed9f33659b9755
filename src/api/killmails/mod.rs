//! Killmails by themselves, and the query over all of them.

mod get;
mod query;

pub(super) use get::find;
pub(super) use query::NEXT_CURSOR;

use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::docs::answers::of;
use super::state::ApiState;

/// Schemas that operations do not bring along by themselves.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut all = query::schemas();
    all.push(of::<get::Include>());
    all
}

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(query::handle))
        .routes(routes!(get::handle))
}
