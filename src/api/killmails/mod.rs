//! Killmails by themselves.

mod get;

pub(super) use get::find;

use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::docs::answers::of;
use super::state::ApiState;

/// Schemas that operations do not bring along by themselves.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    vec![of::<get::Include>()]
}

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get::handle))
}
