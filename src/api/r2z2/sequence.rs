//! `GET /ephemeral/sequence.json`: the newest number that this process has seen; 0 in an empty database.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::ApiState;
use crate::api::docs::answers::Failures;
use crate::api::docs::tags::UPSTREAM;
use crate::domain::FeedSequence;

/// The newest number.
#[derive(Serialize, ToSchema)]
#[schema(as = R2z2Sequence)]
struct Newest {
    /// It.
    #[schema(value_type = i64, minimum = 0)]
    sequence: FeedSequence,
}

/// Serves the newest number. Query parameters are passed over: pollers add some to get round caches.
#[utoipa::path(
    get,
    path = "/ephemeral/sequence.json",
    operation_id = "get_r2z2_sequence",
    tag = UPSTREAM,
    summary = "The newest number, as R2Z2 has it",
    description = "0 in an empty database. Query parameters are passed over: pollers add some to get round caches.",
    responses((status = 200, description = "The number.", body = Newest), Failures),
)]
pub(super) async fn handle(State(state): State<ApiState>) -> Response {
    let sequence = state.feed.bounds().head;
    let headers = [(header::CACHE_CONTROL, "no-cache")];
    (headers, Json(Newest { sequence })).into_response()
}
