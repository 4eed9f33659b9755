//! `GET /object.php`: where a poll leads to.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::package::Package;
use crate::api::extract::Params;
use crate::api::upstream_shape::whole;
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;

/// What `objectID` is when there was nothing.
pub(super) const NOTHING: &str = "null";

/// Serves one package: the killmail of an event as stored now.
///
/// # Errors
/// 404 `document_not_found` for an event that is not there, or not kept any more; the database.
pub(super) async fn handle(
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let id = params.take("objectID")?.unwrap_or_default();
    let headers = [(header::CACHE_CONTROL, "no-cache")];
    if id == NOTHING {
        return Ok((headers, Json(json!({ "package": null }))).into_response());
    }
    let number = id.parse::<i64>().unwrap_or_default();
    let Some(whole) = whole(&state, FeedSequence(number)).await? else {
        return Err(ApiError::DocumentNotFound { number });
    };
    let package = Package::of(&whole.killmail);
    Ok((headers, Json(json!({ "package": package }))).into_response())
}
