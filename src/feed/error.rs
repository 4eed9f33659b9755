//! What can go wrong for a reader.

use crate::domain::FeedSequence;

/// Why a reader can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cursor is older than the log is kept.
    #[error("cursor {after} is older than the feed is kept; the oldest one it serves is {floor}")]
    Expired {
        /// The reader's cursor.
        after: FeedSequence,
        /// The oldest cursor that can be served.
        floor: FeedSequence,
    },
    /// The cursor is beyond the newest event: another database's, or one from before a restore.
    #[error("cursor {after} is beyond the newest event {head}")]
    Ahead {
        /// The reader's cursor.
        after: FeedSequence,
        /// The newest event.
        head: FeedSequence,
    },
    /// The database can't be read.
    #[error("reading the feed failed")]
    Store(#[from] crate::store::Error),
    /// The service is stopping.
    #[error("the service is stopping")]
    Closed,
}

/// The feed's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
