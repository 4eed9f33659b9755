//! What became of backfills, and stopping them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::shapes;
use crate::api::docs::answers::{BadRequest, Failures, OperatorRefused, ProblemDocument};
use crate::api::docs::tags::OPERATION;
use crate::api::extract::integer;
use crate::api::{ApiError, ApiState, operator};
use crate::store::backfill_jobs::{self, BackfillJob};

/// Lists the newest backfills.
///
/// # Errors
/// 401, 403 without the token; the database.
#[utoipa::path(
    get,
    path = "/api/backfills",
    operation_id = "list_backfills",
    tag = OPERATION,
    summary = "The newest backfills",
    responses(
        (status = 200, description = "Newest first, at most 100.", body = shapes::Backfills),
        OperatorRefused,
        Failures,
    ),
    security(("admin_token" = [])),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    operator::required(&state.config, &headers, "a backfill")?;
    let _permit = state.admission.request()?;
    let jobs = backfill_jobs::newest(&state.store.pool).await?;
    let jobs: Vec<Value> = jobs.iter().map(document).collect();
    Ok(Json(json!({ "backfills": jobs })).into_response())
}

/// Shows one backfill.
///
/// # Errors
/// 401, 403 without the token; 404 `backfill_not_found`; the database.
#[utoipa::path(
    get,
    path = "/api/backfills/{id}",
    operation_id = "get_backfill",
    tag = OPERATION,
    summary = "One backfill",
    description = "With how far it has come.",
    params(("id" = i64, Path, minimum = 1, description = "Its number.", example = 1)),
    responses(
        (status = 200, description = "The backfill.", body = shapes::Backfill),
        BadRequest,
        OperatorRefused,
        (status = 404, description = "`backfill_not_found`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Failures,
    ),
    security(("admin_token" = [])),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    operator::required(&state.config, &headers, "a backfill")?;
    let job_id = integer("id", &id, 1..=i64::MAX)?;
    let _permit = state.admission.request()?;
    Ok(Json(document(&find(&state, job_id).await?)).into_response())
}

/// Asks one to stop; one that has ended stays as it is.
///
/// # Errors
/// As [`handle`].
#[utoipa::path(
    delete,
    path = "/api/backfills/{id}",
    operation_id = "cancel_backfill",
    tag = OPERATION,
    summary = "Stop a backfill",
    description = "It stops after the batches under way. One that has ended stays as it is.",
    params(("id" = i64, Path, minimum = 1, description = "Its number.", example = 1)),
    responses(
        (status = 202, description = "The backfill.", body = shapes::Backfill),
        BadRequest,
        OperatorRefused,
        (status = 404, description = "`backfill_not_found`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Failures,
    ),
    security(("admin_token" = [])),
)]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    operator::required(&state.config, &headers, "a backfill")?;
    let job_id = integer("id", &id, 1..=i64::MAX)?;
    let _permit = state.admission.request()?;
    backfill_jobs::cancel(&state.store.pool, job_id, state.clock.now()).await?;
    let job = find(&state, job_id).await?;
    Ok((StatusCode::ACCEPTED, Json(document(&job))).into_response())
}

/// The backfill of a number.
///
/// # Errors
/// There is none, or the database.
pub(super) async fn find(state: &ApiState, job_id: i64) -> Result<BackfillJob, ApiError> {
    let found = backfill_jobs::get(&state.store.pool, job_id).await?;
    found.ok_or(ApiError::BackfillNotFound { job_id })
}

/// A backfill as JSON.
pub(super) fn document(job: &BackfillJob) -> Value {
    json!({
        "id": job.job_id,
        "source": job.source,
        "from": job.from_day,
        "to": job.to_day,
        "state": job.state,
        "cancel_requested": job.cancel_requested,
        "days": job.days,
        "days_settled": job.days_settled,
        "days_failed": job.days_failed,
        "documents": job.documents,
        "error": job.error,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    })
}
