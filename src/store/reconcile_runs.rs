//! Runs of the duty that holds days against what others count.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};

/// Runs that began before that are forgotten: one a day is written.
const KEPT: TimeDelta = TimeDelta::days(400);

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileRun {
    /// Its number.
    pub run_id: i64,
    /// `recent` or `all`.
    pub scope: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it is under way, or where its process ended first.
    pub finished_at: Option<DateTime<Utc>>,
    /// Days that were checked.
    pub days: i64,
    /// Days of which something obtainable is not stored.
    pub lacking: i64,
    /// Killmails that were fetched and not stored before.
    pub stored: i64,
    /// Gaps of the live source that were closed.
    pub gaps_closed: i64,
    /// Why it failed.
    pub error: Option<String>,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Days that were checked.
    pub days: i64,
    /// Days of which something obtainable is not stored.
    pub lacking: i64,
    /// Killmails that were fetched and not stored before.
    pub stored: i64,
    /// Gaps of the live source that were closed.
    pub gaps_closed: i64,
    /// Why it failed.
    pub error: Option<String>,
}

/// Takes note that a run begins, and forgets those of long ago. Returns its number.
///
/// # Errors
/// When the database refuses.
pub async fn begin(executor: impl PgExecutor<'_>, scope: &str, now: DateTime<Utc>) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        WITH forgotten AS (DELETE FROM reconcile_runs WHERE started_at < $3)
        INSERT INTO reconcile_runs (scope, started_at) VALUES ($1, $2) RETURNING run_id
        "#,
        scope,
        now,
        now - KEPT,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("beginning to reconcile"))
}

/// Takes note of how a run ended.
///
/// # Errors
/// When the database refuses.
pub async fn end(
    executor: impl PgExecutor<'_>,
    run_id: i64,
    end: &RunEnd,
    now: DateTime<Utc>,
) -> Result<()> {
    let error = end.error.as_deref().map(super::text::storable);
    sqlx::query!(
        r#"
        UPDATE reconcile_runs
        SET finished_at = $2, days = $3, lacking = $4, stored = $5, gaps_closed = $6, error = $7
        WHERE run_id = $1
        "#,
        run_id,
        now,
        end.days,
        end.lacking,
        end.stored,
        end.gaps_closed,
        error.as_deref(),
    )
    .execute(executor)
    .await
    .map_err(Error::query("ending to reconcile"))?;
    Ok(())
}

/// The newest run, of one scope or of any.
///
/// # Errors
/// When the database refuses.
pub async fn newest(
    executor: impl PgExecutor<'_>,
    scope: Option<&str>,
) -> Result<Option<ReconcileRun>> {
    sqlx::query_as!(
        ReconcileRun,
        r#"
        SELECT run_id, scope, started_at, finished_at, days, lacking, stored, gaps_closed, error
        FROM reconcile_runs
        WHERE $1::text IS NULL OR scope = $1
        ORDER BY run_id DESC
        LIMIT 1
        "#,
        scope,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading how it was reconciled"))
}
