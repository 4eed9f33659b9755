//! Entries of the journal, written and forgotten.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::Entry;
use crate::store::{Error, Result};

/// Writes an entry; its number. `None` when the subscription is gone.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    subscription_id: &str,
    entry: &Entry<'_>,
) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO webhook_deliveries (subscription_id, kind, outcome, message_id, first_sequence,
            last_sequence, solar_system_id, attempt, status, error, attempted_at, duration_ms)
        SELECT subscription_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
        FROM subscriptions WHERE subscription_id = $1
        RETURNING delivery_id
        "#,
        subscription_id,
        entry.kind.as_str(),
        entry.outcome.as_str(),
        entry.message_id,
        entry.first.0,
        entry.last.0,
        entry.solar_system_id,
        entry.attempt,
        entry.status,
        entry.error,
        entry.at,
        entry.duration_ms,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("writing a delivery"))
}

/// Forgets up to `limit` entries from before a time. Returns how many.
///
/// # Errors
/// When the database refuses.
pub async fn prune(
    executor: impl PgExecutor<'_>,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    let deleted = sqlx::query!(
        r#"
        DELETE FROM webhook_deliveries
        WHERE delivery_id IN (
            SELECT delivery_id FROM webhook_deliveries WHERE attempted_at < $1 ORDER BY attempted_at LIMIT $2
        )
        "#,
        before,
        limit,
    )
    .execute(executor)
    .await
    .map_err(Error::query("forgetting deliveries"))?;
    Ok(deleted.rows_affected())
}
