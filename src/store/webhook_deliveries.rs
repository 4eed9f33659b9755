//! The journal of webhook deliveries: attempts, what is queued, and ranges that were skipped.

mod queue;
mod read;
mod write;

use chrono::{DateTime, Utc};

pub use queue::{finish, queue, queued};
pub use read::{delivered_after, get, page};
pub use write::{insert, prune};

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
