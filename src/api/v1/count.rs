//! `GET /api/v1/kills/count/{id}`: how many killmails a system has had in the last 24 hours.
//!
//! `{"data":{"system_id":30000142,"count":17,"timestamp":"…"},"timestamp":"…"}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::TimeDelta;

use super::envelope::{success, timestamp};
use super::read::{self, invalid_system};
use super::shapes::{BadRequest, Failures, KillCount};
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::{ApiError, ApiState};
use crate::store::killmails::history;

/// Counts.
///
/// # Errors
/// 400 for an id that is no positive number; the database.
#[utoipa::path(
    get,
    path = "/api/v1/kills/count/{id}",
    operation_id = "count_kills_in_system",
    tag = WANDERER_KILLS,
    summary = "How many killmails a system had",
    description = "In the last 24 hours.",
    params(("id" = i64, Path, minimum = 1, description = "The solar system.", example = 30_000_142)),
    responses(
        (status = 200, description = "The count.", body = KillCount),
        BadRequest,
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let id = read::id(id, invalid_system)?;
    let _permit = state.admission.request()?;
    let now = state.clock.now();
    let since = now - TimeDelta::hours(24);
    let count = history::count_in_system(&state.store.reads.any().await.reads, id, since).await?;
    let timestamp = timestamp(now);
    let data = format!(r#"{{"system_id":{id},"count":{count},"timestamp":"{timestamp}"}}"#);
    Ok(success(&data, now))
}
