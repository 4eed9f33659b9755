//! Ids that nobody could name, and when they are asked for again.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};
use crate::domain::names::Subject;

/// An id that could not be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    /// What it is the id of.
    pub subject: Subject,
    /// When to ask next; `None` once given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Waits between attempts, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Ladder {
    /// After the first attempt, the second, and so on.
    pub steps: &'static [i64],
    /// After all others; `None` gives up.
    pub then: Option<i64>,
}

/// Those of `subjects` that could not be named.
///
/// # Errors
/// When the database refuses.
pub async fn load(executor: impl PgExecutor<'_>, subjects: &[Subject]) -> Result<Vec<Unresolved>> {
    let (kinds, ids) = columns(subjects);
    let rows = sqlx::query!(
        r#"
        SELECT u.kind, u.id, u.next_attempt_at
        FROM unnest($1::text[], $2::bigint[]) AS k (kind, id)
        JOIN unresolved_ids AS u ON u.id = k.id AND u.kind = k.kind
        "#,
        &kinds,
        &ids,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading unresolved ids"))?;
    rows.into_iter()
        .map(|row| {
            let subject = Subject::from_parts(&row.kind, row.id).ok_or_else(|| Error::BadRow {
                table: "unresolved_ids",
                column: "kind",
                key: row.id.to_string(),
            })?;
            Ok(Unresolved {
                subject,
                next_attempt_at: row.next_attempt_at,
            })
        })
        .collect()
}

/// Notes one more attempt in vain for each of `subjects`, which are distinct.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    executor: impl PgExecutor<'_>,
    subjects: &[Subject],
    reason: &str,
    ladder: Ladder,
    now: DateTime<Utc>,
) -> Result<()> {
    // One order for all writers: no deadlocks.
    let mut ordered = subjects.to_vec();
    ordered.sort_unstable();
    let (kinds, ids) = columns(&ordered);
    sqlx::query!(
        r#"
        INSERT INTO unresolved_ids AS u (kind, id, reason, next_attempt_at, recorded_at)
        SELECT kind, id, $3, $4::timestamptz + COALESCE(($5::bigint[])[1], $6) * interval '1 second', $4
        FROM unnest($1::text[], $2::bigint[]) AS k (kind, id)
        ON CONFLICT (id, kind) DO UPDATE
        SET reason = EXCLUDED.reason, attempts = u.attempts + 1,
            next_attempt_at = $4::timestamptz
                + COALESCE(($5::bigint[])[u.attempts + 1], $6) * interval '1 second'
        "#,
        &kinds,
        &ids,
        reason,
        now,
        ladder.steps,
        ladder.then,
    )
    .execute(executor)
    .await
    .map_err(Error::query("writing unresolved ids"))?;
    Ok(())
}

/// Forgets that `subjects` could not be named.
///
/// # Errors
/// When the database refuses.
pub async fn forget(executor: impl PgExecutor<'_>, subjects: &[Subject]) -> Result<()> {
    let (kinds, ids) = columns(subjects);
    sqlx::query!(
        r#"
        DELETE FROM unresolved_ids AS u
        USING unnest($1::text[], $2::bigint[]) AS k (kind, id)
        WHERE u.id = k.id AND u.kind = k.kind
        "#,
        &kinds,
        &ids,
    )
    .execute(executor)
    .await
    .map_err(Error::query("forgetting unresolved ids"))?;
    Ok(())
}

fn columns(subjects: &[Subject]) -> (Vec<String>, Vec<i64>) {
    subjects
        .iter()
        .map(|subject| (subject.kind().to_owned(), subject.id()))
        .unzip()
}
