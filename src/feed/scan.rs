//! One pass over what lies after a cursor: from memory where possible, else by pages from the database.

use std::sync::Arc;

use super::events::DatabaseRead;
use super::hub::Hub;
use super::key::only_systems;
use super::reader::Zero;
use super::ring::Slice;
use super::{Batch, Error, FeedEvent, Result};
use crate::domain::{FeedSequence, Filter};
use crate::store::feed::Bounds;

/// Events taken from the ring at once: few enough that its lock is held for microseconds.
const RING_SLICE: usize = 256;

/// Most events of one page from the database; at about 4 kB each, a page stays around a megabyte.
const DATABASE_PAGE: usize = 256;

/// Events looked at before a pass ends without a match, so that a rare filter far behind the head neither
/// blocks its caller for long nor hides its progress.
const MAX_SCANNED: usize = 8_192;

/// A piece of the log.
struct Piece {
    /// Oldest first.
    events: Vec<Arc<FeedEvent>>,
    /// There is nothing that matters between the last event and this.
    end: FeedSequence,
    /// There was nothing after it.
    complete: bool,
}

/// Up to `limit` matching events after `after`, without waiting.
pub(super) async fn scan(
    hub: &Hub,
    (after, zero): (FeedSequence, Zero),
    filter: &Filter,
    limit: usize,
) -> Result<Batch> {
    let mut batch = Batch {
        events: Vec::new(),
        cursor: after,
        has_more: false,
    };
    let mut scanned = 0;
    loop {
        let piece = match piece(hub, (batch.cursor, zero), filter, limit).await {
            Ok(piece) => piece,
            // What was found is worth more than the error, which comes again if it lasts.
            Err(_) if !batch.events.is_empty() => {
                batch.has_more = true;
                return Ok(batch);
            }
            Err(error) => return Err(error),
        };
        scanned += piece.events.len().max(1);
        let complete = piece.complete;
        if take(&mut batch, piece, filter, limit) {
            return Ok(batch);
        }
        if complete {
            return Ok(batch);
        }
        if scanned >= MAX_SCANNED {
            batch.has_more = true;
            return Ok(batch);
        }
    }
}

/// Moves the batch over a piece; true when the batch is full.
fn take(batch: &mut Batch, piece: Piece, filter: &Filter, limit: usize) -> bool {
    let mut left = piece.events.into_iter();
    for event in left.by_ref() {
        batch.cursor = event.sequence;
        if event.matches(filter) {
            batch.events.push(event);
        }
        if batch.events.len() >= limit {
            batch.has_more = !piece.complete || left.len() > 0;
            return true;
        }
    }
    batch.cursor = batch.cursor.max(piece.end);
    false
}

async fn piece(
    hub: &Hub,
    (after, zero): (FeedSequence, Zero),
    filter: &Filter,
    limit: usize,
) -> Result<Piece> {
    let size = if filter.is_everything() {
        limit
    } else {
        RING_SLICE
    };
    match hub.slice(after, size.min(RING_SLICE)) {
        Slice::Events { events, complete } => Ok(Piece {
            events,
            end: after,
            complete,
        }),
        Slice::Older | Slice::Beyond => Box::pin(stored(hub, (after, zero), filter, size)).await,
    }
}

/// A page from the database, and the proof that nothing is missing before it.
async fn stored(
    hub: &Hub,
    (after, zero): (FeedSequence, Zero),
    filter: &Filter,
    size: usize,
) -> Result<Piece> {
    // The semaphore is never closed; without a turn the page is read all the same.
    let _turn = hub.database_turns.acquire().await.ok();
    // Taken before the page is read: everything up to here was committed, so an empty page has passed it.
    let committed = hub.head();
    let size = size.min(DATABASE_PAGE);
    let systems = only_systems(filter);
    let rows = match &systems {
        Some(systems) => hub.log.page_in_systems(after, systems, size).await?,
        None => hub.log.page(after, size).await?,
    };
    DatabaseRead { events: rows.len() }.emit();
    let follows = rows
        .first()
        .is_some_and(|row| row.sequence.0 == after.0.saturating_add(1));
    let floor = if follows {
        after
    } else {
        // Read after the page, so that what was pruned before the page was read shows in the floor.
        check((after, zero), hub.log.bounds().await?)?
    };
    let end = match rows.last() {
        // Even when the page is short: it leaves out events whose killmail was deleted.
        Some(last) => last.sequence,
        None if systems.is_some() => committed.max(floor),
        None => covered(after, size).min(committed).max(floor),
    };
    Ok(Piece {
        end,
        complete: rows.is_empty() && end >= committed,
        events: rows
            .into_iter()
            .map(|row| Arc::new(FeedEvent::from(row)))
            .collect(),
    })
}

/// The floor, when the log's ends can serve the cursor.
fn check((after, zero): (FeedSequence, Zero), bounds: Bounds) -> Result<FeedSequence> {
    let Bounds { floor, head } = bounds;
    if after > head {
        return Err(Error::Ahead { after, head });
    }
    if after < floor && (after > FeedSequence(0) || zero == Zero::First) {
        return Err(Error::Expired { after, floor });
    }
    Ok(floor)
}

/// The last sequence that a page after a cursor covers at least, since sequences have no holes.
fn covered(after: FeedSequence, size: usize) -> FeedSequence {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    FeedSequence(after.0.saturating_add(size))
}
