//! Killmails without zKillboard's values, and when they were asked for in vain.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};

/// A killmail whose values may be asked for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub killmail_id: i64,
    /// How often it was asked for in vain.
    pub attempts: i32,
}

/// Killmails without values that happened after `from` and not after `until`, newest first, without those
/// whose next attempt is after `now` or that are given up.
///
/// # Errors
/// When the database refuses.
pub async fn due(
    executor: impl PgExecutor<'_>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
        r#"
        SELECT k.killmail_id, coalesce(a.attempts, 0) AS "attempts!"
        FROM killmails AS k
        LEFT JOIN value_attempts AS a USING (killmail_id)
        WHERE k.total_value IS NULL AND k.npc IS NULL AND k.killmail_time > $1 AND k.killmail_time <= $2
            AND (a.killmail_id IS NULL OR a.next_attempt_at <= $3)
        ORDER BY k.killmail_time DESC, k.killmail_id DESC
        LIMIT $4
        "#,
        from,
        until,
        now,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading killmails without values"))
}

/// Takes note of an attempt in vain; without `next_attempt_at` it was the last one.
///
/// # Errors
/// When the database refuses.
pub async fn record_attempt(
    executor: impl PgExecutor<'_>,
    killmail_id: i64,
    next_attempt_at: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO value_attempts (killmail_id, next_attempt_at) VALUES ($1, $2)
        ON CONFLICT (killmail_id) DO UPDATE
        SET attempts = value_attempts.attempts + 1, next_attempt_at = excluded.next_attempt_at
        "#,
        killmail_id,
        next_attempt_at,
    )
    .execute(executor)
    .await
    .map_err(Error::query("recording an attempt to get values"))?;
    Ok(())
}

/// Forgets the attempts of a killmail that has its values now.
///
/// # Errors
/// When the database refuses.
pub async fn forget_attempts(executor: impl PgExecutor<'_>, killmail_id: i64) -> Result<()> {
    sqlx::query!(
        "DELETE FROM value_attempts WHERE killmail_id = $1",
        killmail_id
    )
    .execute(executor)
    .await
    .map_err(Error::query("forgetting attempts to get values"))?;
    Ok(())
}
