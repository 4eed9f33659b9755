//! `POST /api/backfills`: days to fill.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use clap::ValueEnum;
use serde::Deserialize;

use super::{shapes, view};
use crate::api::docs::answers::{BadRequest, BodyTooLarge, Failures, OperatorRefused};
use crate::api::docs::tags::OPERATION;
use crate::api::{ApiError, ApiState, operator};
use crate::runtime::config::BackfillSource;
use crate::store::backfill_jobs;

/// The most days of one backfill: all of the game's past fits in several times.
const MAX_DAYS: i64 = 20_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    from: String,
    to: String,
    source: Option<String>,
}

/// Queues a backfill.
///
/// # Errors
/// 401, 403 without the token; 400 for a body that can't be understood; 503 `too_many`; the database.
#[utoipa::path(
    post,
    path = "/api/backfills",
    operation_id = "create_backfill",
    tag = OPERATION,
    summary = "Fill days of history",
    description = "Queues a backfill; one process of all on the database does them one after the other. At most 100 \
        may wait. Days before the time that is kept (`WK_RETENTION_DAYS`) are refused.",
    request_body = shapes::Request,
    responses(
        (status = 202, description = "It is queued.", body = shapes::Backfill),
        BadRequest,
        OperatorRefused,
        BodyTooLarge,
        Failures,
    ),
    security(("admin_token" = [])),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    operator::required(&state.config, &headers, "a backfill")?;
    let body: Body = serde_json::from_slice(&body).map_err(|error| {
        let allowed = format!("an object with from, to and source ({error})");
        ApiError::bad_parameter("body", &String::from_utf8_lossy(&body), allowed)
    })?;
    let (from, to) = range(&state, &body)?;
    let source = match &body.source {
        None => BackfillSource::default(),
        Some(word) => BackfillSource::from_str(word, false)
            .map_err(|_| ApiError::bad_parameter("source", word, "everef or r2z2"))?,
    };
    let _permit = state.admission.request()?;
    let pool = &state.store.pool;
    let job_id = backfill_jobs::create(pool, source.as_str(), from, to).await?;
    let job = view::find(&state, job_id).await?;
    Ok((StatusCode::ACCEPTED, Json(view::document(&job))).into_response())
}

/// The first and the last day.
fn range(state: &ApiState, body: &Body) -> Result<(NaiveDate, NaiveDate), ApiError> {
    let (from, to) = (day("from", &body.from)?, day("to", &body.to)?);
    if to < from {
        return Err(ApiError::bad_parameter(
            "to",
            &body.to,
            "a day that is not before from",
        ));
    }
    if (to - from).num_days() >= MAX_DAYS {
        let allowed = format!("a day less than {MAX_DAYS} days after from");
        return Err(ApiError::bad_parameter("to", &body.to, allowed));
    }
    if let Some(horizon) = state.retention.horizon(state.clock.now())
        && from < horizon.date_naive()
    {
        let (first, days) = (horizon.date_naive(), state.retention.retention_days);
        let allowed =
            format!("{first} or a later day: WK_RETENTION_DAYS={days} keeps nothing before");
        return Err(ApiError::bad_parameter("from", &body.from, allowed));
    }
    Ok((from, to))
}

fn day(field: &str, text: &str) -> Result<NaiveDate, ApiError> {
    let allowed = "a day as YYYY-MM-DD";
    let day = text.parse();
    day.map_err(|_| ApiError::bad_parameter(field, text, allowed))
}
