//! `GET /api/stats/completeness`: what is stored of each day, and what others count.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::CompletenessParameters;
use crate::api::docs::answers::{BadRequest, Failures};
use crate::api::docs::tags::STATISTICS;
use crate::api::extract::Params;
use crate::api::{ApiError, ApiState};
use crate::store::day_checks::{self, DayCheck};
use crate::store::reconcile_runs::{self, ReconcileRun};

/// The most days of one answer: more than two years.
const MOST_DAYS: i64 = 1_000;
const DEFAULT_DAYS: i64 = 100;

/// Days, and when they were last looked at.
#[derive(Serialize, ToSchema)]
struct Completeness {
    /// The newest run. Null before the first one.
    #[schema(required = true)]
    run: Option<CompletenessRun>,
    /// Checked days, newest first.
    days: Vec<CompletenessDay>,
    /// `before` of the next answer. Null where this one has the oldest day.
    #[schema(required = true)]
    next_before: Option<NaiveDate>,
}

/// A look at all days, or at those of the last two weeks.
#[derive(Serialize, ToSchema)]
struct CompletenessRun {
    /// `recent` or `all`.
    scope: String,
    started_at: DateTime<Utc>,
    /// Null while it is under way, or where its process ended first.
    #[schema(required = true)]
    finished_at: Option<DateTime<Utc>>,
    /// Days that were checked.
    days: i64,
    /// Days of which something obtainable is not stored.
    lacking: i64,
    /// Killmails that were fetched and not stored before.
    stored: i64,
    /// Numbers that the live source had passed over and that were closed.
    gaps_closed: i64,
    /// Why it failed.
    #[schema(required = true)]
    error: Option<String>,
}

/// A day's killmails here and elsewhere.
#[derive(Serialize, ToSchema)]
struct CompletenessDay {
    /// The day, UTC.
    day: NaiveDate,
    /// Killmails that are stored here.
    own: i64,
    /// Killmails that EVE Ref counts. Null where it does not.
    #[schema(required = true)]
    everef: Option<i64>,
    /// Killmails that R2Z2's history counts. Null where it does not.
    #[schema(required = true)]
    r2z2: Option<i64>,
    /// `complete`; `more_here`; `shrunk`: somebody counts fewer than before; `explained`: all that can be had is stored;
    /// `lacking`: it could not be fetched yet; `not_kept`: neither followed nor filled; `uncounted`: nobody counts it.
    verdict: &'static str,
    /// Why the numbers differ, in words.
    #[schema(required = true)]
    reason: Option<String>,
    checked_at: DateTime<Utc>,
}

impl From<DayCheck> for CompletenessDay {
    fn from(check: DayCheck) -> Self {
        Self {
            day: check.day,
            own: check.own,
            everef: check.everef,
            r2z2: check.r2z2,
            verdict: check.verdict.as_str(),
            reason: check.reason,
            checked_at: check.checked_at,
        }
    }
}

impl From<ReconcileRun> for CompletenessRun {
    fn from(run: ReconcileRun) -> Self {
        Self {
            scope: run.scope,
            started_at: run.started_at,
            finished_at: run.finished_at,
            days: run.days,
            lacking: run.lacking,
            stored: run.stored,
            gaps_closed: run.gaps_closed,
            error: run.error,
        }
    }
}

/// Lists checked days.
///
/// # Errors
/// 400 for a parameter that can't be understood; the database.
#[utoipa::path(
    get,
    path = "/api/stats/completeness",
    operation_id = "get_completeness",
    tag = STATISTICS,
    summary = "What is stored of each day, and what others count",
    description = "Every day the last two weeks are held against the totals of EVE Ref and R2Z2, once a week all days; \
        what lacks is fetched. This lists the checked days, newest first, with both numbers and why they differ.",
    params(CompletenessParameters),
    responses(
        (status = 200, description = "The days.", body = Completeness),
        BadRequest,
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let before = params.day("before")?;
    let limit = params
        .integer("limit", 1..=MOST_DAYS)?
        .unwrap_or(DEFAULT_DAYS);
    params.finish()?;
    let _permit = state.admission.request()?;
    let pool = &state.store.reads.any().await.reads;
    let mut checks = day_checks::newest(pool, before, None, limit + 1).await?;
    let run = reconcile_runs::newest(pool, None).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = checks.len() > shown;
    checks.truncate(shown);
    let next_before = checks.last().filter(|_| is_more).map(|check| check.day);
    let days = checks.into_iter().map(CompletenessDay::from).collect();
    let answer = Completeness {
        run: run.map(CompletenessRun::from),
        days,
        next_before,
    };
    Ok(Json(answer).into_response())
}
