//! The journal of webhook deliveries: attempts, what is queued, and ranges that were skipped.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};
use crate::domain::FeedSequence;

/// The most messages of one subscription that may wait in the queue.
pub const MAX_QUEUED: i64 = 10;

/// How long the journal is kept, in days: as long as the feed usually is.
pub const DAYS_KEPT: i64 = 7;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Events, when it was their turn.
    Events,
    /// A test that the owner asked for.
    Test,
    /// Events again, because the owner asked for them.
    Redelivery,
    /// A range that was no longer kept.
    Skipped,
}

impl Kind {
    /// The word in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Test => "test",
            Self::Redelivery => "redelivery",
            Self::Skipped => "skipped",
        }
    }
}

/// How a delivery ended, or that it has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Waits for its turn.
    Queued,
    /// Answered with a 2xx.
    Delivered,
    /// Anything else.
    Failed,
    /// Was never sent.
    Skipped,
}

impl Outcome {
    /// The word in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// An entry to write.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What it was.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// The `webhook-id`.
    pub message_id: &'a str,
    /// First event.
    pub first: FeedSequence,
    /// Last event.
    pub last: FeedSequence,
    /// The system, where the form has one.
    pub solar_system_id: Option<i64>,
    /// Which attempt it was, from 1.
    pub attempt: i32,
    /// The answer's status.
    pub status: Option<i32>,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Milliseconds until the answer.
    pub duration_ms: Option<i32>,
}

/// An entry as it is stored.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number.
    pub delivery_id: i64,
    /// The subscription.
    pub subscription_id: String,
    /// What it is.
    pub kind: String,
    /// How it ended.
    pub outcome: String,
    /// The `webhook-id`.
    pub message_id: String,
    /// First event.
    pub first_sequence: i64,
    /// Last event.
    pub last_sequence: i64,
    /// The system, where the form has one.
    pub solar_system_id: Option<i64>,
    /// Which attempt it was, from 1.
    pub attempt: i32,
    /// The answer's status.
    pub status: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
    /// When.
    pub attempted_at: DateTime<Utc>,
    /// Milliseconds until the answer.
    pub duration_ms: Option<i32>,
}

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

/// Queues a message.
///
/// # Errors
/// [`TooMany`](super::Error::TooMany) that wait, or when the database refuses.
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

/// Ends a queued delivery.
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
        WHERE delivery_id = $1
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
