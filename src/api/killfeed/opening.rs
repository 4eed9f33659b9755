//! How every reader starts: from a cursor to the first batch, with errors while they can still be a response.

use std::time::Duration;

use tokio::time::timeout;

use crate::api::{ApiError, ApiState};
use crate::domain::{FeedSequence, Filter};
use crate::feed::{Batch, Reader};

/// A reader that has been read once.
#[derive(Debug)]
pub(in crate::api) struct Opening {
    /// The reader, past the first batch.
    pub(in crate::api) reader: Reader,
    /// Where it started.
    pub(in crate::api) cursor: FeedSequence,
    /// What was there.
    pub(in crate::api) first: Batch,
}

/// Opens a reader after `cursor` (0: the oldest event kept; `None`: the newest) and reads up to `limit`
/// events, waiting up to `wait` for the first. Shutdown ends the wait with an empty batch.
///
/// # Errors
/// The cursor expired or is ahead, the database failed or took too long, or the service stops.
pub(in crate::api) async fn open(
    state: &ApiState,
    cursor: Option<FeedSequence>,
    filter: Filter,
    limit: usize,
    wait: Duration,
) -> Result<Opening, ApiError> {
    let mut reader = state.feed.reader(cursor, filter);
    let cursor = reader.cursor();
    let patience = wait.saturating_add(state.limits.request_timeout);
    let first = tokio::select! {
        first = timeout(patience, reader.next(limit, wait)) => Some(first),
        () = state.shutdown.cancelled(), if !wait.is_zero() => None,
    };
    let first = match first {
        Some(first) => first.map_err(|_| ApiError::Timeout)??,
        None => Batch {
            cursor: reader.cursor(),
            ..Batch::default()
        },
    };
    Ok(Opening {
        reader,
        cursor,
        first,
    })
}
