//! Webhook subscriptions: a place in the feed, a filter, an address, and a secret to sign with.

mod change;
mod delete;
mod insert;
mod progress;
mod read;

use chrono::{DateTime, Utc};

pub use change::{change, set_paused};
pub use delete::{delete, delete_of};
pub use insert::insert;
pub use progress::{AfterFailure, Place, advance, begin_batch, delivered_part, failed};
pub use read::{active, fingerprint, get, list};

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
    /// Counts the batches that were begun or given up: names the one under way.
    pub batch: i64,
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

impl Subscription {
    /// Where its deliveries are.
    pub fn place(&self) -> Place<'_> {
        Place {
            id: &self.subscription_id,
            cursor: self.cursor,
            batch: self.batch,
        }
    }
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
