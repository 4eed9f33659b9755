//! `GET /api/v1/killmail/{id}`: one killmail, with `corporation` and `alliance` of everyone as objects besides
//! the flat names.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::envelope::success;
use super::shapes::{BadRequest, CodedError, Failures, OneKillmail};
use super::{V1Error, read};
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::{ApiError, ApiState, killmails};
use crate::domain::wire;

/// Serves one killmail.
///
/// # Errors
/// 400 for an id that is no positive number, 404 when it is not stored; the database.
#[utoipa::path(
    get,
    path = "/api/v1/killmail/{id}",
    operation_id = "get_killmail_with_affiliations",
    tag = WANDERER_KILLS,
    summary = "One killmail",
    description = "With `corporation` and `alliance` of everyone as objects besides the flat names.",
    params(("id" = i64, Path, minimum = 1, description = "The killmail.", example = 140_000_001)),
    responses(
        (status = 200, description = "The killmail.", body = OneKillmail),
        BadRequest,
        (status = 404, description = "`NOT_FOUND`: it is not stored.", body = CodedError),
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let invalid = || V1Error::bad_request("INVALID_KILLMAIL_ID", "Invalid killmail ID format");
    let killmail_id = read::id(id, invalid)?;
    let _permit = state.admission.request()?;
    let stored = killmails::find(&state, killmail_id, false).await?;
    let stored = stored.ok_or_else(|| V1Error::not_found("Killmail not found"))?;
    let document =
        wire::with_affiliations(&stored.document).map_err(|source| ApiError::Document {
            killmail_id,
            source,
        })?;
    Ok(success(&document, state.clock.now()))
}
