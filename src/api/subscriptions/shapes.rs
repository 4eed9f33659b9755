//! The shapes of subscriptions and their journals, as schemas.

#![expect(dead_code, reason = "shapes of the document alone")]

use chrono::{DateTime, Utc};
use utoipa::{IntoParams, ToSchema};

use crate::domain::Filter;

/// The form of a webhook's bodies.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookFormat {
    /// A page of the killfeed.
    Events,
    /// What WandererKills sends: one system a message, new killmails only.
    KillmailUpdate,
    /// A message of a Discord webhook.
    Discord,
}

/// How a subscription does.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SubscriptionStatus {
    /// All is well.
    Active,
    /// The last attempt failed, and another follows.
    Retrying,
    /// Nothing is sent until its owner resumes it.
    Paused,
}

/// A webhook subscription.
#[derive(ToSchema)]
pub(super) struct Subscription {
    /// Its id.
    id: String,
    /// Who subscribed.
    subscriber_id: String,
    /// Where messages go; of others' subscriptions scheme and host alone.
    callback_url: String,
    /// The form of the bodies.
    format: WebhookFormat,
    /// What is wanted.
    filter: Filter,
    /// How it does.
    status: SubscriptionStatus,
    /// Since when it is paused.
    #[schema(required = true)]
    paused_at: Option<DateTime<Utc>>,
    /// Why it is paused.
    #[schema(required = true)]
    paused_reason: Option<String>,
    /// Attempts in a row that failed.
    failures: i64,
    /// When the next attempt is due.
    #[schema(required = true)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// The last event that was delivered.
    cursor: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

/// A subscription that was made, with its secret.
#[derive(ToSchema)]
pub(super) struct NewSubscription {
    /// The subscription.
    #[serde(flatten)]
    subscription: Subscription,
    /// What signs its messages and shows who owns it; shown this once.
    #[schema(examples("whsec_…"))]
    secret: String,
}

/// What the journal takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct JournalParameters {
    /// Only deliveries with a smaller number.
    #[param(required = false, minimum = 1)]
    before: i64,
    /// Most deliveries.
    #[param(required = false, minimum = 1, maximum = 500, default = 100)]
    limit: i64,
}

/// A page of the journal.
#[derive(ToSchema)]
pub(super) struct Journal {
    /// Newest first.
    deliveries: Vec<Delivery>,
    /// `before` of the next page; null at the end.
    #[schema(required = true)]
    next_before: Option<i64>,
}

/// What a delivery is.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryKind {
    /// Events of the feed.
    Events,
    /// A message without killmails.
    Test,
    /// Events once more.
    Redelivery,
    /// Events that were passed over.
    Skipped,
}

/// How a delivery ended.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryOutcome {
    /// It waits for its turn.
    Queued,
    /// The receiver took it.
    Delivered,
    /// The receiver did not take it.
    Failed,
    /// It was passed over.
    Skipped,
}

/// An entry of the journal.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub(super) struct Delivery {
    /// Its number.
    delivery_id: i64,
    /// What it is.
    kind: DeliveryKind,
    /// How it ended.
    outcome: DeliveryOutcome,
    /// `webhook-id` of the message.
    message_id: String,
    /// The first event.
    first_event_id: i64,
    /// The last event.
    last_event_id: i64,
    /// The system, of messages that have one.
    #[schema(required = true)]
    system_id: Option<i64>,
    /// Which attempt it was.
    attempt: i32,
    /// The receiver's HTTP status.
    #[schema(required = true)]
    status: Option<i32>,
    /// What went wrong.
    #[schema(required = true)]
    error: Option<String>,
    /// When it was tried.
    attempted_at: DateTime<Utc>,
    /// How long that took.
    #[schema(required = true)]
    duration_ms: Option<i64>,
}

/// A delivery that waits for its turn.
#[derive(ToSchema)]
pub(super) struct Queued {
    /// Its number in the journal.
    delivery_id: i64,
    /// Always `queued`.
    outcome: DeliveryOutcome,
}
