//! `GET /object.php`: where a poll leads to.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::package::Package;
use crate::api::docs::answers::{Failures, ProblemDocument};
use crate::api::docs::tags::UPSTREAM;
use crate::api::extract::Params;
use crate::api::upstream_shape::whole;
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;

/// A package, or none.
#[derive(Serialize, ToSchema)]
struct RedisqAnswer<'a> {
    /// The package; null where there was nothing.
    #[schema(required = true)]
    package: Option<Package<'a>>,
}

/// What `objectID` is when there was nothing.
pub(super) const NOTHING: &str = "null";

/// Serves one package: the killmail of an event as stored now.
///
/// # Errors
/// 404 `document_not_found` for an event that is not there, or not kept any more; the database.
#[utoipa::path(
    get,
    path = "/object.php",
    operation_id = "get_redisq_object",
    tag = UPSTREAM,
    summary = "Where a poll leads to: one package",
    description = "The killmail of an event as stored now.",
    params(
        ("objectID" = String, Query, pattern = "^(null|[1-9][0-9]{0,17})$",
            description = "The event's number, or `null` for nothing.", example = "null"),
    ),
    responses(
        (status = 200, description = "The package; null where there was nothing.", body = RedisqAnswer<'static>),
        (status = 404, description = "`document_not_found`: no such event, or it is not kept any more.",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 400, description = "`bad_parameter`: `objectID` more than once.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let id = params.take("objectID")?.unwrap_or_default();
    let headers = [(header::CACHE_CONTROL, "no-cache")];
    if id == NOTHING {
        return Ok((headers, Json(RedisqAnswer { package: None })).into_response());
    }
    let number = id.parse::<i64>().unwrap_or_default();
    let Some(whole) = whole(&state, FeedSequence(number)).await? else {
        return Err(ApiError::DocumentNotFound { number });
    };
    let package = Some(Package::of(&whole.killmail));
    Ok((headers, Json(RedisqAnswer { package })).into_response())
}
