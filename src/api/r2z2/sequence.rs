//! `GET /ephemeral/sequence.json`: the newest number that this process has seen; 0 in an empty database.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::api::ApiState;

/// Serves the newest number. Query parameters are passed over: pollers add some to get round caches.
pub(super) async fn handle(State(state): State<ApiState>) -> Response {
    let sequence = state.feed.bounds().head;
    let headers = [(header::CACHE_CONTROL, "no-cache")];
    (headers, Json(json!({ "sequence": sequence }))).into_response()
}
