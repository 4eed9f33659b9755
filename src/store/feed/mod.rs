//! The feed log: what was committed, in order.

mod append;
mod page;
mod single;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};
use crate::domain::FeedSequence;

pub use append::{append, prune};
pub use page::{latest, page, page_in_systems};
pub use single::{WholeEvent, whole};

/// The channel that says "look".
pub const CHANNEL: &str = "wanderer_kills_feed";

/// Why an event is on the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// Stored for the first time.
    New,
    /// Stored before; values or labels changed.
    Updated,
}

impl FeedKind {
    /// The word used in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
        }
    }

    /// The kind a word of [`Self::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "new" => Some(Self::New),
            "updated" => Some(Self::Updated),
            _ => None,
        }
    }
}

/// An event to append.
#[derive(Debug, Clone, Copy)]
pub struct FeedEntry {
    /// Which killmail.
    pub killmail_id: i64,
    /// Its time (the partition key).
    pub killmail_time: DateTime<Utc>,
    /// Its system.
    pub solar_system_id: i64,
    /// Why.
    pub kind: FeedKind,
}

/// An event as it is read, with the document of its killmail as stored now.
#[derive(Debug, Clone)]
pub struct FeedRow {
    /// Its position in the log.
    pub sequence: FeedSequence,
    /// Why it is there.
    pub kind: FeedKind,
    /// Which killmail.
    pub killmail_id: i64,
    /// Its time.
    pub killmail_time: DateTime<Utc>,
    /// Its system.
    pub solar_system_id: i64,
    /// When it was committed.
    pub committed_at: DateTime<Utc>,
    /// The canonical document.
    pub document: String,
}

/// The ends of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// A cursor from here on can be served without a hole: the sequence before the oldest kept event.
    pub floor: FeedSequence,
    /// The newest event, 0 when there was none ever.
    pub head: FeedSequence,
}

/// A row of the log as the database has it.
pub(super) struct Row {
    pub(super) sequence: i64,
    pub(super) kind: String,
    pub(super) killmail_id: i64,
    pub(super) killmail_time: DateTime<Utc>,
    pub(super) solar_system_id: i64,
    pub(super) committed_at: DateTime<Utc>,
    pub(super) document: String,
}

impl TryFrom<Row> for FeedRow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let kind = FeedKind::from_word(&row.kind).ok_or_else(|| Error::BadRow {
            table: "feed",
            column: "kind",
            key: row.sequence.to_string(),
        })?;
        Ok(Self {
            sequence: FeedSequence(row.sequence),
            kind,
            killmail_id: row.killmail_id,
            killmail_time: row.killmail_time,
            solar_system_id: row.solar_system_id,
            committed_at: row.committed_at,
            document: row.document,
        })
    }
}

/// The log's ends.
///
/// # Errors
/// When the database refuses.
pub async fn bounds(executor: impl PgExecutor<'_>) -> Result<Bounds> {
    let row = sqlx::query!("SELECT floor, head FROM feed_head")
        .fetch_one(executor)
        .await
        .map_err(Error::query("reading the feed's ends"))?;
    Ok(Bounds {
        floor: FeedSequence(row.floor),
        head: FeedSequence(row.head),
    })
}
