use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::{Row, Walk, Wish};
use crate::domain::{HistoryKey, Span};
use crate::store::{Error, Result};

/// The most characters of an error that are kept: a sentence.
const MAX_ERROR_CHARACTERS: usize = 500;
/// What is known of an entity that nobody has asked for since is forgotten after so long.
const KEPT: TimeDelta = TimeDelta::days(180);

/// One page was read and stored.
#[derive(Debug, Clone, Copy)]
pub struct Advance {
    /// Where the reading stands now.
    pub walk: Walk,
    /// Killmails of the page that were not stored before.
    pub new: i64,
    /// Not before this time anybody else asks for the next page.
    pub next_attempt_at: DateTime<Utc>,
}

/// When to try again after a failure.
#[derive(Debug, Clone, Copy)]
pub struct Retry<'a> {
    /// Not before this time.
    pub at: DateTime<Utc>,
    /// Why the attempt failed.
    pub error: &'a str,
    /// Whether the failure counts: those that are not about this entity do not.
    pub counts: bool,
}

/// The open wish to serve next, if any is due: those of requests and operators first, among them whoever was
/// served longest ago.
///
/// # Errors
/// When the database refuses.
pub async fn next_due(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<Option<Wish>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT kind, entity_id, state, requested_by, requested_at, wanted_from, known_from, known_until, truncated,
            attempts, next_attempt_at, last_error, walk_from, walk_as_of, walk_oldest, walk_month, walk_page,
            walk_pages, pages_read, killmails_new, updated_at
        FROM history_wishes
        WHERE state IN ('requested', 'running') AND next_attempt_at <= $1
        ORDER BY requested_by IN ('api', 'operator') DESC, updated_at, kind, entity_id
        LIMIT 1
        "#,
        now,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("looking for a wish for history"))?;
    row.map(Wish::try_from).transpose()
}

/// How many wishes are open.
///
/// # Errors
/// When the database refuses.
pub async fn count_open(executor: impl PgExecutor<'_>) -> Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM history_wishes WHERE state IN ('requested', 'running')"#
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting wishes for history"))
}

/// Begins a reading, and keeps others from it until `held_until`.
///
/// # Errors
/// When the database refuses.
pub async fn begin(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    walk: Walk,
    held_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    write(executor, key, walk, (0, 0), held_until, now).await
}

/// Takes note of a page.
///
/// # Errors
/// When the database refuses.
pub async fn advance(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    advance: Advance,
    now: DateTime<Utc>,
) -> Result<()> {
    let read = (1, advance.new);
    let next = advance.next_attempt_at;
    write(executor, key, advance.walk, read, next, now).await
}

async fn write(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    walk: Walk,
    (pages, new): (i64, i64),
    next_attempt_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE history_wishes
        SET state = 'running', attempts = 0, last_error = NULL, walk_from = $3, walk_as_of = $4, walk_oldest = $5,
            walk_month = $6, walk_page = $7, walk_pages = $8, pages_read = pages_read + $9,
            killmails_new = killmails_new + $10, next_attempt_at = $11, updated_at = $12
        WHERE kind = $1 AND entity_id = $2
        "#,
        key.kind.as_str(),
        key.id,
        walk.from,
        walk.as_of,
        walk.oldest,
        walk.month,
        walk.page,
        walk.pages,
        pages,
        new,
        next_attempt_at,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("writing how far history is read"))?;
    Ok(())
}

/// Ends a reading: `known` is stored now, together with what was known before where the two touch. The wish
/// is complete, unless its span was widened meanwhile: then it starts anew. Killmails that an earlier reading
/// had to leave out (`truncated`) stay out.
///
/// # Errors
/// When the database refuses.
pub async fn finish(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    walk: Walk,
    known: Span,
    truncated: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE history_wishes
        SET known_from = CASE WHEN known_until >= $3 THEN least(known_from, $3) ELSE $3 END,
            known_until = CASE WHEN known_until >= $3 THEN greatest(known_until, $4) ELSE $4 END,
            state = CASE
                WHEN $5 OR (truncated AND known_until >= $3)
                    OR wanted_from >= CASE WHEN known_until >= $3 THEN least(known_from, $3) ELSE $3 END
                THEN 'complete' ELSE 'requested' END,
            truncated = $5 OR coalesce(truncated AND known_until >= $3, false), walk_from = NULL, walk_as_of = NULL, walk_oldest = NULL, walk_month = NULL,
            walk_page = 1, walk_pages = $6, attempts = 0, last_error = NULL, next_attempt_at = $7, updated_at = $7
        WHERE kind = $1 AND entity_id = $2
        "#,
        key.kind.as_str(),
        key.id,
        known.from,
        known.until,
        truncated,
        walk.pages,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("ending a reading of history"))?;
    Ok(())
}

/// Takes note of a failure after which it is tried again.
///
/// # Errors
/// When the database refuses.
pub async fn postpone(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    retry: Retry<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let error: String = retry.error.chars().take(MAX_ERROR_CHARACTERS).collect();
    sqlx::query!(
        r#"
        UPDATE history_wishes
        SET attempts = attempts + CASE WHEN $3 THEN 1 ELSE 0 END, last_error = $4, next_attempt_at = $5,
            updated_at = $6
        WHERE kind = $1 AND entity_id = $2
        "#,
        key.kind.as_str(),
        key.id,
        retry.counts,
        error,
        retry.at,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("postponing a wish for history"))?;
    Ok(())
}

/// Gives a wish up until somebody asks anew. The reading keeps its place.
///
/// # Errors
/// When the database refuses.
pub async fn give_up(
    executor: impl PgExecutor<'_>,
    key: HistoryKey,
    error: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let error: String = error.chars().take(MAX_ERROR_CHARACTERS).collect();
    sqlx::query!(
        r#"
        UPDATE history_wishes
        SET state = 'failed', attempts = attempts + 1, last_error = $3, updated_at = $4
        WHERE kind = $1 AND entity_id = $2
        "#,
        key.kind.as_str(),
        key.id,
        error,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("giving a wish for history up"))?;
    Ok(())
}

/// Forgets entities that nobody has asked for in half a year. Returns how many.
///
/// # Errors
/// When the database refuses.
pub async fn prune(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<u64> {
    let pruned = sqlx::query!(
        "DELETE FROM history_wishes WHERE state IN ('complete', 'failed') AND updated_at < $1",
        now - KEPT,
    )
    .execute(executor)
    .await
    .map_err(Error::query("forgetting old wishes for history"))?;
    Ok(pruned.rows_affected())
}
