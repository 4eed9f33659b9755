//! What travels through the pipeline.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use crate::domain::{FeedSequence, Killmail};
use crate::store::gaps::Gap;
use crate::store::killmails::Change;

/// One document on its way in, with everything that has to be committed together with it.
#[derive(Debug)]
pub struct Envelope {
    /// The source's name: `r2z2`, `redisq`, `import`, `library`.
    pub source: &'static str,
    /// Where in the source (a sequence, a file and line): for logs and dead letters.
    pub origin: String,
    /// The document.
    pub payload: Payload,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// Whether the feed hears of it.
    pub announce: Announce,
    /// The source's new position, committed together with the document.
    pub cursor: Option<CursorMove>,
    /// Gaps to record in the same transaction.
    pub gaps: Vec<Gap>,
    /// Position of an open gap of this source that this document closes.
    pub closes_gap: Option<i64>,
    /// Told what became of it, after the commit.
    pub done: Option<oneshot::Sender<Outcome>>,
}

/// A document, as far as its source has taken it.
#[derive(Debug)]
pub enum Payload {
    /// Bytes to parse.
    Raw(Bytes),
    /// A killmail already parsed.
    Killmail(Box<Killmail>),
    /// Nothing but a position and gaps.
    Empty,
}

/// Whether the feed hears of a killmail that is new or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    /// Always: the live source, `import --announce`, the library.
    Always,
    /// Only if it happened within the configured hours: history.
    IfRecent,
    /// Never.
    Never,
}

/// A source's new position.
#[derive(Debug, Clone, PartialEq)]
pub struct CursorMove {
    /// The position that is done.
    pub position: i64,
    /// What else the source needs after a restart.
    pub detail: Option<serde_json::Value>,
    /// Takes a position below the stored one.
    pub rewind: bool,
}

/// What became of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Committed.
    Stored {
        /// Which killmail.
        killmail_id: i64,
        /// What the write changed.
        change: Change,
        /// Where the feed announces it, where it does.
        sequence: Option<FeedSequence>,
    },
    /// Kept as a dead letter.
    DeadLetter {
        /// Why.
        reason: String,
    },
    /// A reference whose body could not be fetched; recorded as a gap.
    Deferred,
    /// A killmail of history from before the time that is kept (`WK_RETENTION_DAYS`); not stored.
    Expired,
    /// There was nothing in it.
    Nothing,
}
