//! How far a subscription's deliveries are.
//!
//! Every write names the place that its caller has read and changes nothing elsewhere: a process that slept
//! while another went on must not write over what that one did, nor over what the owner wanted meanwhile.
//! Transactions belong to callers, who write the journal along.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::FeedSequence;
use crate::store::{Error, Result};

/// Where a subscription's deliveries were when it was read.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The subscription's id.
    pub id: &'a str,
    /// The newest event that was delivered or did not match.
    pub cursor: FeedSequence,
    /// Which batch was under way, or the last one that was.
    pub batch: i64,
}

/// Begins a batch; its number. `None` when the place was another by then, or the subscription is paused or gone.
///
/// # Errors
/// When the database refuses.
pub async fn begin_batch(
    conn: &mut PgConnection,
    place: Place<'_>,
    end: FeedSequence,
) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        UPDATE subscriptions
        SET batch = batch + 1, batch_end = $4, failures = 0, next_attempt_at = NULL
        WHERE subscription_id = $1 AND cursor = $2 AND batch = $3 AND batch_end IS NULL AND paused_at IS NULL
        RETURNING batch
        "#,
        place.id,
        place.cursor.0,
        place.batch,
        end.0,
    )
    .fetch_optional(conn)
    .await
    .map_err(Error::query("beginning a subscription's batch"))
}

/// Takes note that a part of the batch under way was delivered. False when the place was another by then.
///
/// # Errors
/// When the database refuses.
pub async fn delivered_part(conn: &mut PgConnection, place: Place<'_>) -> Result<bool> {
    let noted = sqlx::query!(
        r#"
        UPDATE subscriptions
        SET failures = 0, next_attempt_at = NULL
        WHERE subscription_id = $1 AND cursor = $2 AND batch = $3
        "#,
        place.id,
        place.cursor.0,
        place.batch,
    )
    .execute(conn)
    .await
    .map_err(Error::query("noting a part of a subscription's batch"))?;
    Ok(noted.rows_affected() > 0)
}

/// Takes note that nothing is under way and everything up to `cursor` is dealt with. False when the place was
/// another by then.
///
/// # Errors
/// When the database refuses.
pub async fn advance(
    conn: &mut PgConnection,
    place: Place<'_>,
    cursor: FeedSequence,
) -> Result<bool> {
    let moved = sqlx::query!(
        r#"
        UPDATE subscriptions
        SET cursor = $4, batch_end = NULL, failures = 0, next_attempt_at = NULL
        WHERE subscription_id = $1 AND cursor = $2 AND batch = $3
        "#,
        place.id,
        place.cursor.0,
        place.batch,
        cursor.0,
    )
    .execute(conn)
    .await
    .map_err(Error::query("moving a subscription on"))?;
    Ok(moved.rows_affected() > 0)
}

/// What follows from a failed attempt.
#[derive(Debug, Clone)]
pub enum AfterFailure {
    /// Another attempt at this time.
    Retry(DateTime<Utc>),
    /// None, for this reason.
    Pause(DateTime<Utc>, String),
}

/// Takes note of an attempt at a batch that failed after `failures` others. False when the place was another by
/// then, another process has noted a failure, or the owner has paused the subscription: that pause stays.
///
/// # Errors
/// When the database refuses.
pub async fn failed(
    conn: &mut PgConnection,
    place: Place<'_>,
    failures: i32,
    after: &AfterFailure,
) -> Result<bool> {
    let (next, paused, reason) = match after {
        AfterFailure::Retry(at) => (Some(*at), None, None),
        AfterFailure::Pause(at, reason) => (None, Some(*at), Some(reason.as_str())),
    };
    let noted = sqlx::query!(
        r#"
        UPDATE subscriptions
        SET failures = failures + 1, next_attempt_at = $5, paused_at = $6, paused_reason = $7
        WHERE subscription_id = $1 AND cursor = $2 AND batch = $3 AND failures = $4 AND paused_at IS NULL
        "#,
        place.id,
        place.cursor.0,
        place.batch,
        failures,
        next,
        paused,
        reason,
    )
    .execute(conn)
    .await
    .map_err(Error::query("noting a failed delivery"))?;
    Ok(noted.rows_affected() > 0)
}
