//! A reader: cursor and filter. Every listener of every kind is one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::events::BatchGiven;
use super::hub::{Hub, Signal, Subscription};
use super::key::keys_of_filter;
use super::{Error, FeedEvent, Result, scan};
use crate::domain::{FeedSequence, Filter};

/// Most events of one batch, so that no caller makes the service hold the whole log at once.
pub const MAX_BATCH: usize = 1_000;

/// Longest wait: a longer one is cut to this, which no client outlives anyway.
pub const MAX_WAIT: Duration = Duration::from_hours(24);

/// A cursor and a filter on the log.
///
/// Costs well under a kilobyte while it waits; thousands of them are fine.
#[derive(Debug)]
pub struct Reader {
    hub: Arc<Hub>,
    cursor: FeedSequence,
    filter: Arc<Filter>,
    wake: Wake,
    /// What cursor 0 means.
    zero: Zero,
}

/// What cursor 0 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    /// The oldest event that is kept.
    Oldest,
    /// The place before the first event that ever was.
    First,
}

/// How a reader learns that there is something new. Made when it waits for the first time.
#[derive(Debug)]
enum Wake {
    /// It has not waited yet with this filter.
    Unset,
    /// Any event may be its: it waits for the head to move.
    Broad(watch::Receiver<Signal>),
    /// It is entered in the index.
    Narrow(Subscription),
}

/// What a reader got in one go.
#[derive(Debug, Default)]
pub struct Batch {
    /// Matching events, oldest first; empty when the wait ran out, or when so many foreign events lay
    /// behind the cursor that the reader stopped on the way (then `has_more` is true).
    pub events: Vec<Arc<FeedEvent>>,
    /// The reader's cursor after them (also moves over events that did not match).
    pub cursor: FeedSequence,
    /// More matching events may be there right now.
    pub has_more: bool,
}

impl Reader {
    pub(super) fn new(hub: Arc<Hub>, cursor: Option<FeedSequence>, filter: Filter) -> Self {
        hub.reader_created();
        let cursor = cursor.unwrap_or_else(|| hub.head()).max(FeedSequence(0));
        Self {
            hub,
            cursor,
            filter: Arc::new(filter),
            wake: Wake::Unset,
            zero: Zero::Oldest,
        }
    }

    pub(super) fn behind(hub: Arc<Hub>, cursor: FeedSequence, filter: Filter) -> Self {
        let mut reader = Self::new(hub, Some(cursor), filter);
        reader.zero = Zero::First;
        reader
    }

    /// Up to `limit` matching events after the cursor; waits up to `wait` for the first (zero: not at all).
    /// Cancel safe: an event is only passed once it has been returned.
    ///
    /// `limit` is brought within 1 and [`MAX_BATCH`], `wait` is cut to [`MAX_WAIT`]. Cursor 0 starts with the
    /// oldest event that is kept.
    ///
    /// # Errors
    /// The cursor expired or is ahead, the database failed, or the service stops.
    pub async fn next(&mut self, limit: usize, wait: Duration) -> Result<Batch> {
        let limit = limit.clamp(1, MAX_BATCH);
        let deadline = Instant::now() + wait.min(MAX_WAIT);
        let mut last_look = wait.is_zero();
        loop {
            let signal = self.hub.signal();
            if signal.closed {
                return Err(Error::Closed);
            }
            self.pass_foreign();
            let batch =
                scan::scan(&self.hub, (self.cursor, self.zero), &self.filter, limit).await?;
            if !batch.events.is_empty() {
                BatchGiven {
                    cursor: self.cursor,
                    head: signal.head,
                }
                .emit();
            }
            self.cursor = batch.cursor;
            if !batch.events.is_empty() || batch.has_more || last_look {
                return Ok(batch);
            }
            last_look = timeout_at(deadline, self.moved(signal)).await.is_err();
        }
    }

    /// Where it is.
    pub fn cursor(&self) -> FeedSequence {
        self.cursor
    }

    /// What it lets through.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Changes the filter from here on.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = Arc::new(filter);
        self.wake = Wake::Unset;
    }

    /// Moves over events that the index knows to be none of this reader's.
    fn pass_foreign(&mut self) {
        if let Wake::Narrow(subscription) = &self.wake {
            self.cursor = subscription.pass_foreign(self.cursor);
        }
    }

    /// Returns when there may be something after the cursor, or the log was set back, or the tail has ended.
    /// `seen` is the signal from before the last look.
    async fn moved(&mut self, seen: Signal) {
        let Self {
            hub,
            cursor,
            filter,
            wake,
            zero: _,
        } = self;
        if matches!(wake, Wake::Unset) {
            *wake = match keys_of_filter(filter) {
                None => Wake::Broad(hub.watch()),
                Some(keys) => Wake::Narrow(Subscription::new(hub, keys)),
            };
        }
        match wake {
            Wake::Unset => {}
            Wake::Broad(receiver) => {
                let news = receiver.wait_for(|signal| {
                    signal.closed || signal.generation != seen.generation || signal.head > *cursor
                });
                // The sender lives as long as the hub, which this reader holds.
                drop(news.await);
            }
            Wake::Narrow(subscription) => {
                if subscription.arm(*cursor) && !hub.signal().closed {
                    subscription.woken().await;
                }
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.hub.reader_dropped();
    }
}
