//! What owners have asked for and what still waits.

use sqlx::PgExecutor;

use super::{Delivery, Entry, MAX_QUEUED, insert};
use crate::store::{Error, Result};

/// Queues a message.
///
/// # Errors
/// [`TooMany`](Error::TooMany) that wait, or when the database refuses.
pub async fn queue(
    executor: impl PgExecutor<'_> + Copy,
    subscription_id: &str,
    entry: &Entry<'_>,
) -> Result<Option<i64>> {
    let waiting = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM webhook_deliveries
        WHERE subscription_id = $1 AND outcome = 'queued'
        "#,
        subscription_id,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting queued deliveries"))?;
    if waiting >= MAX_QUEUED {
        return Err(Error::TooMany {
            what: "queued messages of one subscription",
            limit: MAX_QUEUED,
        });
    }
    insert(executor, subscription_id, entry).await
}

/// What waits, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn queued(executor: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Delivery>> {
    sqlx::query_as!(
        Delivery,
        r#"
        SELECT delivery_id, subscription_id, kind, outcome, message_id, first_sequence, last_sequence,
            solar_system_id, attempt, status, error, attempted_at, duration_ms
        FROM webhook_deliveries
        WHERE outcome = 'queued'
        ORDER BY delivery_id
        LIMIT $1
        "#,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading queued deliveries"))
}

/// Ends a queued delivery, unless another process has ended it.
///
/// # Errors
/// When the database refuses.
pub async fn finish(
    executor: impl PgExecutor<'_>,
    delivery_id: i64,
    entry: &Entry<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE webhook_deliveries
        SET outcome = $2, status = $3, error = $4, attempted_at = $5, duration_ms = $6
        WHERE delivery_id = $1 AND outcome = 'queued'
        "#,
        delivery_id,
        entry.outcome.as_str(),
        entry.status,
        entry.error,
        entry.at,
        entry.duration_ms,
    )
    .execute(executor)
    .await
    .map_err(Error::query("ending a queued delivery"))?;
    Ok(())
}
