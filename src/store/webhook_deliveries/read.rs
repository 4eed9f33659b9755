//! The journal, read.

use sqlx::PgExecutor;

use super::Delivery;
use crate::domain::FeedSequence;
use crate::store::{Error, Result};

/// The messages of the batch after `cursor` that have been delivered already.
///
/// # Errors
/// When the database refuses.
pub async fn delivered_after(
    executor: impl PgExecutor<'_>,
    subscription_id: &str,
    cursor: FeedSequence,
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        SELECT message_id FROM webhook_deliveries
        WHERE subscription_id = $1 AND outcome = 'delivered' AND last_sequence > $2 AND kind = 'events'
        "#,
        subscription_id,
        cursor.0,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading what a batch has delivered"))
}

/// One delivery of a subscription.
///
/// # Errors
/// When the database refuses.
pub async fn get(
    executor: impl PgExecutor<'_>,
    subscription_id: &str,
    delivery_id: i64,
) -> Result<Option<Delivery>> {
    sqlx::query_as!(
        Delivery,
        r#"
        SELECT delivery_id, subscription_id, kind, outcome, message_id, first_sequence, last_sequence,
            solar_system_id, attempt, status, error, attempted_at, duration_ms
        FROM webhook_deliveries
        WHERE subscription_id = $1 AND delivery_id = $2
        "#,
        subscription_id,
        delivery_id,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading a delivery"))
}

/// Deliveries of a subscription with numbers below `before`, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn page(
    executor: impl PgExecutor<'_>,
    subscription_id: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Delivery>> {
    sqlx::query_as!(
        Delivery,
        r#"
        SELECT delivery_id, subscription_id, kind, outcome, message_id, first_sequence, last_sequence,
            solar_system_id, attempt, status, error, attempted_at, duration_ms
        FROM webhook_deliveries
        WHERE subscription_id = $1 AND delivery_id < $2
        ORDER BY delivery_id DESC
        LIMIT $3
        "#,
        subscription_id,
        before,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading a page of deliveries"))
}
