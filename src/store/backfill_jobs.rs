//! Backfills of days that were asked for over HTTP.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};

/// The most jobs that wait or run at the same time: each can be all of the past.
pub const MAX_OPEN: i64 = 100;
/// The most jobs listed.
const MAX_LISTED: i64 = 100;

/// A backfill that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillJob {
    /// Its number.
    pub job_id: i64,
    /// Where the days come from: `everef` or `r2z2`.
    pub source: String,
    /// The first day, UTC.
    pub from_day: NaiveDate,
    /// The last day, UTC.
    pub to_day: NaiveDate,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// Somebody wants it to stop.
    pub cancel_requested: bool,
    /// Days of the range, 0 before it was begun.
    pub days: i64,
    /// Days of which something became.
    pub days_settled: i64,
    /// Days that could not be read.
    pub days_failed: i64,
    /// Documents read.
    pub documents: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was last begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// Days of the range.
    pub days: i64,
    /// Days of which something became.
    pub days_settled: i64,
    /// Days that could not be read.
    pub days_failed: i64,
    /// Documents read.
    pub documents: i64,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Every day is settled.
    Done,
    /// Stopped because somebody wanted it.
    Cancelled,
    /// Days could not be read, or nothing could be.
    Failed(String),
}

/// Asks for a backfill; returns its number.
///
/// # Errors
/// [`Error::TooMany`] when [`MAX_OPEN`] have not ended yet; when the database refuses.
pub async fn create(
    executor: impl PgExecutor<'_>,
    source: &str,
    from_day: NaiveDate,
    to_day: NaiveDate,
) -> Result<i64> {
    let created = sqlx::query_scalar!(
        r#"
        INSERT INTO backfill_jobs (source, from_day, to_day)
        SELECT $1, $2, $3
        WHERE (SELECT count(*) FROM backfill_jobs WHERE state IN ('queued', 'running')) < $4
        RETURNING job_id
        "#,
        source,
        from_day,
        to_day,
        MAX_OPEN,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("asking for a backfill"))?;
    created.ok_or(Error::TooMany {
        what: "backfills that have not ended",
        limit: MAX_OPEN,
    })
}

/// One job; `None` where there is none of that number.
///
/// # Errors
/// When the database refuses.
pub async fn get(executor: impl PgExecutor<'_>, job_id: i64) -> Result<Option<BackfillJob>> {
    sqlx::query_as!(
        BackfillJob,
        r#"
        SELECT job_id, source, from_day, to_day, state, cancel_requested, days, days_settled, days_failed,
            documents, error, created_at, started_at, finished_at
        FROM backfill_jobs
        WHERE job_id = $1
        "#,
        job_id,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading a backfill"))
}

/// The newest jobs, at most a hundred.
///
/// # Errors
/// When the database refuses.
pub async fn newest(executor: impl PgExecutor<'_>) -> Result<Vec<BackfillJob>> {
    sqlx::query_as!(
        BackfillJob,
        r#"
        SELECT job_id, source, from_day, to_day, state, cancel_requested, days, days_settled, days_failed,
            documents, error, created_at, started_at, finished_at
        FROM backfill_jobs
        ORDER BY job_id DESC
        LIMIT $1
        "#,
        MAX_LISTED,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("listing backfills"))
}

/// Begins the oldest job that has not ended, also one that another process has left; `None` where there is none.
///
/// # Errors
/// When the database refuses.
pub async fn begin_next(
    executor: impl PgExecutor<'_>,
    now: DateTime<Utc>,
) -> Result<Option<BackfillJob>> {
    sqlx::query_as!(
        BackfillJob,
        r#"
        UPDATE backfill_jobs
        SET state = 'running', started_at = $1, days = 0, days_settled = 0, days_failed = 0, documents = 0
        WHERE job_id = (
            SELECT job_id FROM backfill_jobs WHERE state IN ('queued', 'running') ORDER BY job_id LIMIT 1)
        RETURNING job_id, source, from_day, to_day, state, cancel_requested, days, days_settled, days_failed,
            documents, error, created_at, started_at, finished_at
        "#,
        now,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("beginning a backfill"))
}

/// Writes how far a job has come; true once somebody wants it to stop.
///
/// # Errors
/// When the database refuses.
pub async fn advance(
    executor: impl PgExecutor<'_>,
    job_id: i64,
    progress: JobProgress,
) -> Result<bool> {
    let wanted = sqlx::query_scalar!(
        r#"
        UPDATE backfill_jobs
        SET days = $2, days_settled = $3, days_failed = $4, documents = $5
        WHERE job_id = $1
        RETURNING cancel_requested
        "#,
        job_id,
        progress.days,
        progress.days_settled,
        progress.days_failed,
        progress.documents,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("writing how far a backfill has come"))?;
    Ok(wanted.unwrap_or(true))
}

/// Writes how a job ended.
///
/// # Errors
/// When the database refuses.
pub async fn end(
    executor: impl PgExecutor<'_>,
    job_id: i64,
    end: &JobEnd,
    now: DateTime<Utc>,
) -> Result<()> {
    let (state, error) = match end {
        JobEnd::Done => ("done", None),
        JobEnd::Cancelled => ("cancelled", None),
        JobEnd::Failed(reason) => ("failed", Some(super::text::storable_prefix(reason, 2_000))),
    };
    sqlx::query!(
        "UPDATE backfill_jobs SET state = $2, error = $3, finished_at = $4 WHERE job_id = $1",
        job_id,
        state,
        error,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("ending a backfill"))?;
    Ok(())
}

/// Asks a job to stop: one that waits ends at once, one that has ended stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn cancel(executor: impl PgExecutor<'_>, job_id: i64, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE backfill_jobs
        SET cancel_requested = true,
            state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
            finished_at = CASE state WHEN 'queued' THEN $2 ELSE finished_at END
        WHERE job_id = $1 AND state IN ('queued', 'running')
        "#,
        job_id,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("cancelling a backfill"))?;
    Ok(())
}
