//! `GET /api/v1/killmail/{id}`: one killmail, with `corporation` and `alliance` of everyone as objects besides
//! the flat names.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::envelope::success;
use super::{V1Error, read};
use crate::api::{ApiError, ApiState, killmails};
use crate::domain::wire;

/// Serves one killmail.
///
/// # Errors
/// 400 for an id that is no positive number, 404 when it is not stored; the database.
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
