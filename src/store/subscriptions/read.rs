//! Subscriptions as they are stored.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::types::Json;

use super::{Format, MAX_SUBSCRIPTIONS, Subscription};
use crate::domain::{FeedSequence, Filter, SigningSecret};
use crate::store::{Error, Result};

struct Row {
    subscription_id: String,
    subscriber_id: String,
    callback_url: String,
    filter: Json<Filter>,
    format: String,
    secret: Vec<u8>,
    cursor: i64,
    batch: i64,
    batch_end: Option<i64>,
    failures: i32,
    next_attempt_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    paused_reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Subscription {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let bad = |column| Error::BadRow {
            table: "subscriptions",
            column,
            key: row.subscription_id.clone(),
        };
        let format = Format::from_word(&row.format).ok_or_else(|| bad("format"))?;
        let secret = row.secret.try_into().map_err(|_| Error::BadRow {
            table: "subscriptions",
            column: "secret",
            key: row.subscription_id.clone(),
        })?;
        Ok(Self {
            subscription_id: row.subscription_id,
            subscriber_id: row.subscriber_id,
            callback_url: row.callback_url,
            filter: row.filter.0,
            format,
            secret: SigningSecret::new(secret),
            cursor: FeedSequence(row.cursor),
            batch: row.batch,
            batch_end: row.batch_end.map(FeedSequence),
            failures: row.failures,
            next_attempt_at: row.next_attempt_at,
            paused_at: row.paused_at,
            paused_reason: row.paused_reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// One subscription.
///
/// # Errors
/// When the database refuses.
pub async fn get(executor: impl PgExecutor<'_>, id: &str) -> Result<Option<Subscription>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT subscription_id, subscriber_id, coalesce(callback_url, '') AS "callback_url!",
            filter AS "filter: Json<Filter>", format, secret, cursor, batch, batch_end, failures, next_attempt_at,
            paused_at, paused_reason, created_at, updated_at
        FROM subscriptions
        WHERE subscription_id = $1
        "#,
        id,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading a subscription"))?;
    row.map(Subscription::try_from).transpose()
}

/// All subscriptions, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(executor: impl PgExecutor<'_>) -> Result<Vec<Subscription>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT subscription_id, subscriber_id, coalesce(callback_url, '') AS "callback_url!",
            filter AS "filter: Json<Filter>", format, secret, cursor, batch, batch_end, failures, next_attempt_at,
            paused_at, paused_reason, created_at, updated_at
        FROM subscriptions
        ORDER BY created_at, subscription_id
        LIMIT $1
        "#,
        MAX_SUBSCRIPTIONS,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("listing subscriptions"))?;
    rows.into_iter().map(Subscription::try_from).collect()
}

/// Ids of the subscriptions that are not paused, with the time of their owners' last change.
///
/// # Errors
/// When the database refuses.
pub async fn active(executor: impl PgExecutor<'_>) -> Result<Vec<(String, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        "SELECT subscription_id, updated_at FROM subscriptions WHERE paused_at IS NULL LIMIT $1",
        MAX_SUBSCRIPTIONS,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("listing active subscriptions"))?;
    Ok(rows
        .into_iter()
        .map(|row| (row.subscription_id, row.updated_at))
        .collect())
}

/// How many subscriptions are not paused, and when one of them was last changed: the same again where nothing
/// was made, changed, paused, resumed or deleted.
///
/// # Errors
/// When the database refuses.
pub async fn fingerprint(executor: impl PgExecutor<'_>) -> Result<(i64, Option<DateTime<Utc>>)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!", max(updated_at) AS changed FROM subscriptions WHERE paused_at IS NULL"#
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("looking whether subscriptions changed"))?;
    Ok((row.count, row.changed))
}
