//! How far a subscription's deliveries are. Transactions belong to callers, who write the journal along.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::FeedSequence;
use crate::store::{Error, Result};

/// Takes note that nothing is under way and everything up to `cursor` is dealt with. False when the place was
/// not `from` any more: another process delivers, or the subscription is gone.
///
/// # Errors
/// When the database refuses.
pub async fn advance(
    conn: &mut PgConnection,
    id: &str,
    from: FeedSequence,
    cursor: FeedSequence,
) -> Result<bool> {
    let moved = sqlx::query!(
        r#"
        UPDATE subscriptions
        SET cursor = $3, batch_end = NULL, failures = 0, next_attempt_at = NULL
        WHERE subscription_id = $1 AND cursor = $2
        "#,
        id,
        from.0,
        cursor.0,
    )
    .execute(conn)
    .await
    .map_err(Error::query("moving a subscription on"))?;
    Ok(moved.rows_affected() > 0)
}

/// Takes note of the batch under way.
///
/// # Errors
/// When the database refuses.
pub async fn begin_batch(conn: &mut PgConnection, id: &str, end: FeedSequence) -> Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET batch_end = $2, failures = 0, next_attempt_at = NULL WHERE subscription_id = $1",
        id,
        end.0,
    )
    .execute(conn)
    .await
    .map_err(Error::query("noting a subscription's batch"))?;
    Ok(())
}

/// What follows from a failed attempt.
#[derive(Debug, Clone)]
pub enum AfterFailure {
    /// Another attempt at this time.
    Retry(DateTime<Utc>),
    /// None, for this reason.
    Pause(DateTime<Utc>, String),
}

/// Takes note of a failed attempt at a batch.
///
/// # Errors
/// When the database refuses.
pub async fn failed(
    conn: &mut PgConnection,
    id: &str,
    end: FeedSequence,
    after: &AfterFailure,
) -> Result<()> {
    let (next, paused, reason) = match after {
        AfterFailure::Retry(at) => (Some(*at), None, None),
        AfterFailure::Pause(at, reason) => (None, Some(*at), Some(reason.as_str())),
    };
    sqlx::query!(
        r#"
        UPDATE subscriptions
        SET batch_end = $2, failures = failures + 1, next_attempt_at = $3, paused_at = $4, paused_reason = $5
        WHERE subscription_id = $1
        "#,
        id,
        end.0,
        next,
        paused,
        reason,
    )
    .execute(conn)
    .await
    .map_err(Error::query("noting a failed delivery"))?;
    Ok(())
}
