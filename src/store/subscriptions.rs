//! Webhook subscriptions: a place in the feed, a filter, an address, and a secret to sign with.

mod progress;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::types::Json;

pub use progress::{AfterFailure, advance, begin_batch, failed};

use super::{Error, Result};
use crate::domain::{FeedSequence, Filter, SigningSecret};

/// The most subscriptions that are kept: anybody can make one, and each is a reader of the feed.
pub const MAX_SUBSCRIPTIONS: i64 = 10_000;

/// The form of the bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"type":"killmail_update",…}`, one system a message, new killmails only: as WandererKills had it.
    KillmailUpdate,
    /// A page of the killfeed.
    Events,
    /// A message of a Discord webhook.
    Discord,
}

impl Format {
    /// The word in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KillmailUpdate => "killmail_update",
            Self::Events => "events",
            Self::Discord => "discord",
        }
    }

    /// The form that a word of [`Self::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::KillmailUpdate, Self::Events, Self::Discord]
            .into_iter()
            .find(|format| format.as_str() == word)
    }
}

/// One subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its id.
    pub subscription_id: String,
    /// Who made it, in their own words.
    pub subscriber_id: String,
    /// Where messages go; empty for nowhere.
    pub callback_url: String,
    /// What is wanted.
    pub filter: Filter,
    /// The form of the bodies.
    pub format: Format,
    /// What messages are signed with.
    pub secret: SigningSecret,
    /// The newest event that was delivered or did not match.
    pub cursor: FeedSequence,
    /// The end of the batch under way.
    pub batch_end: Option<FeedSequence>,
    /// Failed attempts in a row.
    pub failures: i32,
    /// When to try again after a failure.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Since when nothing is sent.
    pub paused_at: Option<DateTime<Utc>>,
    /// Why nothing is sent.
    pub paused_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its owner last changed it.
    pub updated_at: DateTime<Utc>,
}

/// What is needed to make a subscription.
#[derive(Debug, Clone)]
pub struct NewSubscription<'a> {
    /// Its id.
    pub subscription_id: &'a str,
    /// Who makes it.
    pub subscriber_id: &'a str,
    /// Where messages go.
    pub callback_url: &'a str,
    /// What is wanted.
    pub filter: &'a Filter,
    /// The form of the bodies.
    pub format: Format,
    /// What messages are signed with.
    pub secret: &'a SigningSecret,
    /// The last event that is not wanted.
    pub cursor: FeedSequence,
    /// The address that asks.
    pub created_by: Option<String>,
}

/// What an owner may change; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Where messages go.
    pub callback_url: Option<String>,
    /// What is wanted.
    pub filter: Option<Filter>,
    /// The form of the bodies.
    pub format: Option<Format>,
}

struct Row {
    subscription_id: String,
    subscriber_id: String,
    callback_url: String,
    filter: Json<Filter>,
    format: String,
    secret: Vec<u8>,
    cursor: i64,
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

/// Makes a subscription.
///
/// # Errors
/// [`TooMany`](super::Error::TooMany) subscriptions, or when the database refuses.
pub async fn insert(executor: impl PgExecutor<'_>, new: &NewSubscription<'_>) -> Result<()> {
    let made = sqlx::query!(
        r#"
        INSERT INTO subscriptions (subscription_id, subscriber_id, callback_url, filter, format, secret, cursor,
            created_by)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8
        WHERE (SELECT count(*) FROM subscriptions) < $9
        "#,
        new.subscription_id,
        new.subscriber_id,
        new.callback_url,
        Json(new.filter) as _,
        new.format.as_str(),
        new.secret.bytes().as_slice(),
        new.cursor.0,
        new.created_by,
        MAX_SUBSCRIPTIONS,
    )
    .execute(executor)
    .await
    .map_err(Error::query("making a subscription"))?;
    if made.rows_affected() == 0 {
        return Err(Error::TooMany {
            what: "subscriptions",
            limit: MAX_SUBSCRIPTIONS,
        });
    }
    Ok(())
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
            filter AS "filter: Json<Filter>", format, secret, cursor, batch_end, failures, next_attempt_at,
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
            filter AS "filter: Json<Filter>", format, secret, cursor, batch_end, failures, next_attempt_at,
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

/// Deletes one subscription with its journal. False when there is none.
///
/// # Errors
/// When the database refuses.
pub async fn delete(executor: impl PgExecutor<'_>, id: &str) -> Result<bool> {
    let deleted = sqlx::query!("DELETE FROM subscriptions WHERE subscription_id = $1", id)
        .execute(executor)
        .await
        .map_err(Error::query("deleting a subscription"))?;
    Ok(deleted.rows_affected() > 0)
}

/// Deletes every subscription of a subscriber.
///
/// # Errors
/// When the database refuses.
pub async fn delete_of(executor: impl PgExecutor<'_>, subscriber_id: &str) -> Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM subscriptions WHERE subscriber_id = $1",
        subscriber_id
    )
    .execute(executor)
    .await
    .map_err(Error::query("deleting a subscriber's subscriptions"))?;
    Ok(deleted.rows_affected())
}

/// Changes a subscription. The batch under way is given up: it belongs to what was wanted before.
///
/// # Errors
/// When the database refuses.
pub async fn change(executor: impl PgExecutor<'_>, id: &str, changes: &Changes) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE subscriptions
        SET callback_url = coalesce($2, callback_url), filter = coalesce($3, filter),
            format = coalesce($4, format), batch_end = NULL, failures = 0, next_attempt_at = NULL,
            updated_at = clock_timestamp()
        WHERE subscription_id = $1
        "#,
        id,
        changes.callback_url,
        changes.filter.as_ref().map(Json) as _,
        changes.format.map(Format::as_str),
    )
    .execute(executor)
    .await
    .map_err(Error::query("changing a subscription"))?;
    Ok(())
}

/// Pauses with a reason, or resumes (`None`) with all failures forgotten.
///
/// # Errors
/// When the database refuses.
pub async fn set_paused(
    executor: impl PgExecutor<'_>,
    id: &str,
    paused: Option<(DateTime<Utc>, &str)>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE subscriptions
        SET paused_at = $2, paused_reason = $3, failures = 0, next_attempt_at = NULL,
            updated_at = clock_timestamp()
        WHERE subscription_id = $1
        "#,
        id,
        paused.map(|(at, _)| at),
        paused.map(|(_, reason)| reason),
    )
    .execute(executor)
    .await
    .map_err(Error::query("pausing or resuming a subscription"))?;
    Ok(())
}
