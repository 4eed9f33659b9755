//! `GET /api/v1/kills/count/{id}`: how many killmails a system has had in the last 24 hours.
//!
//! `{"data":{"system_id":30000142,"count":17,"timestamp":"…"},"timestamp":"…"}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::TimeDelta;

use super::envelope::{success, timestamp};
use super::read::{self, invalid_system};
use crate::api::{ApiError, ApiState};
use crate::store::killmails::history;

/// Counts.
///
/// # Errors
/// 400 for an id that is no positive number; the database.
pub(super) async fn handle(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let id = read::id(id, invalid_system)?;
    let _permit = state.admission.request()?;
    let now = state.clock.now();
    let since = now - TimeDelta::hours(24);
    let count = history::count_in_system(&state.store.read_pool, id, since).await?;
    let timestamp = timestamp(now);
    let data = format!(r#"{{"system_id":{id},"count":{count},"timestamp":"{timestamp}"}}"#);
    Ok(success(&data, now))
}
