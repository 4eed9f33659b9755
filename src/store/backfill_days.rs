//! Days of history: which are filled, from which version of their file, and who is at them.

mod locks;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{Error, Result};
pub use locks::DayLocks;

/// What is remembered of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillDay {
    /// The day, UTC.
    pub day: NaiveDate,
    /// True once its file was read to its end and all of it is stored.
    pub is_done: bool,
    /// `ETag` of that file.
    pub etag: Option<String>,
    /// Its `Last-Modified`, as the server wrote it.
    pub last_modified: Option<String>,
    /// Its size.
    pub size_bytes: Option<i64>,
    /// Documents in it.
    pub documents: i64,
    /// The most documents the day has ever had.
    pub most_documents: i64,
    /// Documents of it kept as dead letters.
    pub dead_letters: i64,
    /// Documents of it without a body, without content, or older than is kept.
    pub passed_over: i64,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When the source last showed that what was read is what it has.
    pub verified_at: Option<DateTime<Utc>>,
}

/// What became of a day that was read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilledDay {
    /// `ETag` of its file.
    pub etag: Option<String>,
    /// The file's `Last-Modified`, as the server wrote it.
    pub last_modified: Option<String>,
    /// The file's size.
    pub size_bytes: i64,
    /// Killmails that the source says the day has.
    pub expected: Option<i64>,
    /// Documents read: the sum of the following.
    pub documents: i64,
    /// Killmails that were not stored before.
    pub stored: i64,
    /// Killmails stored before that gained something.
    pub updated: i64,
    /// Killmails stored before, with nothing new.
    pub unchanged: i64,
    /// Documents kept as dead letters.
    pub dead_letters: i64,
    /// Documents without a body or without content.
    pub passed_over: i64,
}

/// What is remembered of the days from `from` to `to`, both included, by day.
///
/// # Errors
/// When the database refuses.
pub async fn load(
    executor: impl PgExecutor<'_>,
    source: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<BackfillDay>> {
    sqlx::query_as!(
        BackfillDay,
        r#"
        SELECT day, state = 'done' AS "is_done!", etag, last_modified, size_bytes, documents, most_documents,
            dead_letters, passed_over, error, verified_at
        FROM backfill_days
        WHERE source = $1 AND day BETWEEN $2 AND $3
        ORDER BY day
        "#,
        source,
        from,
        to,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading days of history"))
}

/// Takes note that a day is being read.
///
/// # Errors
/// When the database refuses.
pub async fn begin(
    executor: impl PgExecutor<'_>,
    source: &str,
    day: NaiveDate,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO backfill_days AS d (source, day, state, attempts, owner, started_at, updated_at)
        VALUES ($1, $2, 'running', 1, $3, $4, $4)
        ON CONFLICT (source, day) DO UPDATE
        SET state = 'running', attempts = d.attempts + 1, owner = $3, started_at = $4, finished_at = NULL,
            error = NULL, updated_at = $4
        "#,
        source,
        day,
        owner,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("taking a day of history"))?;
    Ok(())
}

/// Marks a day as done, with what was in it.
///
/// Call it after the last of its rows is committed, in no transaction of theirs. Those commits need not wait for
/// the disk; this one does, and the log it waits for holds them all: a day that is marked as done is on disk.
///
/// # Errors
/// When the database refuses.
pub async fn finish(
    executor: impl PgExecutor<'_>,
    source: &str,
    day: NaiveDate,
    filled: &FilledDay,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE backfill_days
        SET state = 'done', attempts = 0, error = NULL, finished_at = $3, updated_at = $3, etag = $4,
            last_modified = $5, size_bytes = $6, expected = $7, documents = $8,
            most_documents = greatest(most_documents, $8), stored = $9, updated = $10, unchanged = $11,
            dead_letters = $12, passed_over = $13, verified_at = $3
        WHERE source = $1 AND day = $2
        "#,
        source,
        day,
        now,
        filled.etag,
        filled.last_modified,
        filled.size_bytes,
        filled.expected,
        filled.documents,
        filled.stored,
        filled.updated,
        filled.unchanged,
        filled.dead_letters,
        filled.passed_over,
    )
    .execute(executor)
    .await
    .map_err(Error::query("marking a day of history as done"))?;
    Ok(())
}

/// Takes note that the file of a day is still the one that was read to its end.
///
/// # Errors
/// When the database refuses.
pub async fn verify(
    executor: impl PgExecutor<'_>,
    source: &str,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE backfill_days SET verified_at = $3, updated_at = $3
        WHERE source = $1 AND day = $2 AND state = 'done'
        "#,
        source,
        day,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("verifying a day of history"))?;
    Ok(())
}

/// Takes note that a day was not read to its end, and why.
///
/// # Errors
/// When the database refuses.
pub async fn fail(
    executor: impl PgExecutor<'_>,
    source: &str,
    day: NaiveDate,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let reason = super::text::storable(reason);
    sqlx::query!(
        r#"
        INSERT INTO backfill_days (source, day, state, error, attempts, finished_at, updated_at)
        VALUES ($1, $2, 'failed', $3, 1, $4, $4)
        ON CONFLICT (source, day) DO UPDATE
        SET state = 'failed', error = $3, finished_at = $4, updated_at = $4
        "#,
        source,
        day,
        reason.as_ref(),
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("marking a day of history as failed"))?;
    Ok(())
}

/// Takes note that a day that was taken is left as it is: interrupted, or its file is not there.
///
/// # Errors
/// When the database refuses.
pub async fn leave(
    executor: impl PgExecutor<'_>,
    source: &str,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE backfill_days SET state = 'planned', updated_at = $3
        WHERE source = $1 AND day = $2 AND state = 'running'
        "#,
        source,
        day,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("leaving a day of history"))?;
    Ok(())
}

/// Lets the commit of the caller's transaction return before it is on disk: a crash of the server may undo it,
/// never half of it. Only for what is read again unless a later commit, which waits, says that it is done.
///
/// # Errors
/// When the database refuses.
pub async fn relax_commit(conn: &mut PgConnection) -> Result<()> {
    sqlx::query_scalar!("SELECT set_config('synchronous_commit', 'off', true)")
        .fetch_one(conn)
        .await
        .map_err(Error::query("relaxing a commit"))?;
    Ok(())
}
