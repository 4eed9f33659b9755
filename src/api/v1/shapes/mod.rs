//! The shapes of WandererKills' requests, answers and errors, as schemas.

#![expect(dead_code, reason = "shapes of the document alone")]

mod backfill;
mod errors;
mod requests;
mod status;

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

pub(super) use backfill::{Backfill, ManyBackfills};
pub(super) use errors::{
    BadBody, BadRequest, BadSubscription, BodyTooLarge, CodedError, Failures, StreamFailures,
    SubscriptionError, TokenRefused,
};
pub(super) use requests::{
    BulkRequest, Hours, PreloadParameters, Since, StreamParameters, Subscribe, SystemsRequest,
};
pub(super) use status::Status;

use crate::api::docs::answers::of;
use crate::domain::wire::shape::Killmail;

/// Killmails of one system, newest first.
#[derive(ToSchema)]
pub(super) struct SystemKills {
    /// The killmails.
    pub(super) data: SystemKillsData,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// Killmails of one system.
#[derive(ToSchema)]
pub(super) struct SystemKillsData {
    /// Newest first.
    pub(super) kills: Vec<Killmail>,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
    /// True where everything that was asked for is stored.
    pub(super) cached: bool,
    /// Whether the past of the system is known; of `/kills/system/{id}` alone.
    #[schema(required = false)]
    pub(super) backfill: Backfill,
    /// There, and true, when the answer would have become too large.
    #[schema(required = false)]
    pub(super) truncated: bool,
}

/// Killmails of many systems.
#[derive(ToSchema)]
pub(super) struct SystemsKills {
    /// The killmails.
    pub(super) data: SystemsKillsData,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// Killmails of many systems by system.
#[derive(ToSchema)]
pub(super) struct SystemsKillsData {
    /// System id → killmails, newest first. Every system that was asked for is there.
    pub(super) systems_kills: std::collections::BTreeMap<String, Vec<Killmail>>,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
    /// Whether the past of the systems is known.
    pub(super) backfill: ManyBackfills,
    /// There, and true, when lists had to be cut.
    #[schema(required = false)]
    pub(super) truncated: bool,
}

/// Killmails of many systems, without the envelope.
#[derive(ToSchema)]
pub(super) struct BulkKills {
    /// System id → killmails, newest first. Every system that was asked for is there.
    pub(super) systems: std::collections::BTreeMap<String, Vec<Killmail>>,
    /// There, and true, when lists had to be cut.
    #[schema(required = false)]
    pub(super) truncated: bool,
}

/// A list of killmails, without the envelope.
#[derive(ToSchema)]
pub(super) struct KillList {
    /// Newest first.
    pub(super) kills: Vec<Killmail>,
    /// There, and true, when the answer would have become too large.
    #[schema(required = false)]
    pub(super) truncated: bool,
}

/// How many killmails a system had.
#[derive(ToSchema)]
pub(super) struct KillCount {
    /// The count.
    pub(super) data: KillCountData,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// How many killmails a system had in the last 24 hours.
#[derive(ToSchema)]
pub(super) struct KillCountData {
    /// The system.
    pub(super) system_id: i64,
    /// Its killmails of the last 24 hours.
    #[schema(minimum = 0)]
    pub(super) count: i64,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// One killmail.
#[derive(ToSchema)]
pub(super) struct OneKillmail {
    /// The killmail, with `corporation` and `alliance` of everyone as objects besides the flat names.
    pub(super) data: Killmail,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// A subscription that was made.
#[derive(ToSchema)]
pub(super) struct Subscribed {
    /// The subscription.
    pub(super) data: SubscribedData,
    /// Its id once more, for clients that look for it here.
    pub(super) subscription_id: String,
}

/// A subscription that was made.
#[derive(ToSchema)]
pub(super) struct SubscribedData {
    /// Its id.
    pub(super) subscription_id: String,
    /// For people.
    pub(super) message: String,
    /// What signs its messages and shows who owns it; shown this once.
    #[schema(examples("whsec_…"))]
    pub(super) secret: String,
}

/// Every webhook subscription.
#[derive(ToSchema)]
pub(super) struct SubscriptionList {
    /// The list.
    pub(super) data: SubscriptionListData,
}

/// Every webhook subscription.
#[derive(ToSchema)]
pub(super) struct SubscriptionListData {
    /// The subscriptions.
    pub(super) subscriptions: Vec<ListedSubscription>,
    /// How many there are.
    pub(super) count: u64,
}

/// A subscription as everybody may see it.
#[derive(ToSchema)]
pub(super) struct ListedSubscription {
    /// Its id.
    pub(super) id: String,
    /// Who subscribed.
    pub(super) subscriber_id: String,
    /// Always `webhook`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Its systems.
    pub(super) system_ids: Vec<i64>,
    /// Its characters.
    pub(super) character_ids: Vec<i64>,
    /// Scheme and host of where its messages go.
    pub(super) callback_url: String,
    /// When it was made.
    pub(super) created_at: DateTime<Utc>,
    /// When it last changed.
    pub(super) updated_at: DateTime<Utc>,
}

/// Numbers of subscriptions.
#[derive(ToSchema)]
pub(super) struct SubscriptionStats {
    /// The numbers.
    pub(super) data: SubscriptionStatsData,
}

/// Numbers of subscriptions. Only webhooks are subscriptions here.
#[derive(ToSchema)]
pub(super) struct SubscriptionStatsData {
    /// All of them.
    pub(super) total_subscriptions: u64,
    /// Always 0.
    pub(super) websocket_subscriptions: u64,
    /// All of them.
    pub(super) webhook_subscriptions: u64,
    /// Always 0.
    pub(super) sse_subscriptions: u64,
    /// Different systems.
    pub(super) total_systems: u64,
    /// Different characters.
    pub(super) total_characters: u64,
    /// Always 0.
    pub(super) memory_usage: u64,
}

/// The subscriptions of a subscriber are gone.
#[derive(ToSchema)]
pub(super) struct Unsubscribed {
    /// What was ended.
    pub(super) data: UnsubscribedData,
}

/// The subscriptions of a subscriber are gone.
#[derive(ToSchema)]
pub(super) struct UnsubscribedData {
    /// For people.
    pub(super) message: String,
    /// Whose they were.
    pub(super) subscriber_id: String,
}

/// Schemas that error answers name.
pub(in crate::api) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    vec![
        of::<CodedError>(),
        of::<SubscriptionError>(),
        of::<errors::SubscriptionErrorBody>(),
        of::<errors::TypedError>(),
        of::<errors::TypedErrorBody>(),
        of::<errors::ConnectionLimitError>(),
        of::<errors::ConnectionLimitBody>(),
        of::<BadBody>(),
        of::<BadSubscription>(),
        of::<errors::StreamUnavailable>(),
    ]
}
