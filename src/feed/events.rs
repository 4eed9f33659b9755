//! What the feed tells logs and metrics.

use super::Status;
use crate::domain::FeedSequence;
use crate::runtime::telemetry::metric::{Metric, count, record, set_count};
use crate::store;

/// The feed as it is after a look at the log.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) status: Status,
}

impl Looked {
    /// Metrics alone: a look is nothing to write home about.
    pub(super) fn emit(self) {
        let status = self.status;
        set_count(Metric::FeedHead, status.head.0, &[]);
        set_count(Metric::FeedReaders, status.readers, &[]);
        set_count(Metric::RingEvents, status.ring_events, &[]);
        // The ring has no holes.
        let events = i64::try_from(status.ring_events).unwrap_or(i64::MAX);
        set_count(Metric::RingFloor, status.head.0.saturating_sub(events), &[]);
        set_count(Metric::RingBytes, status.ring_bytes, &[]);
    }
}

/// A reader is given events.
#[derive(Debug)]
pub(super) struct BatchGiven {
    /// Where the reader was.
    pub(super) cursor: FeedSequence,
    /// Where the feed was.
    pub(super) head: FeedSequence,
}

impl BatchGiven {
    /// The metric alone: there are thousands of readers.
    pub(super) fn emit(self) {
        let behind = self.head.0.saturating_sub(self.cursor.0).max(0);
        let behind = u32::try_from(behind).unwrap_or(u32::MAX);
        record(Metric::ReaderLagEvents, f64::from(behind), &[]);
    }
}

/// A reader behind the ring read a page from the database.
#[derive(Debug)]
pub(super) struct DatabaseRead {
    pub(super) events: usize,
}

impl DatabaseRead {
    pub(super) fn emit(self) {
        tracing::trace!(events = self.events, "a page of the feed from the database");
        count(Metric::FeedDatabaseReads, 1, &[]);
    }
}

/// What was too old is gone.
#[derive(Debug)]
pub(super) struct Forgotten {
    pub(super) what: &'static str,
    pub(super) number: u64,
}

impl Forgotten {
    /// Writes nothing for nothing.
    pub(super) fn emit(self) {
        if self.number > 0 {
            tracing::info!(number = self.number, "forgot {}", self.what);
        }
    }
}

/// What is too old could not be deleted.
#[derive(Debug)]
pub(super) struct ForgettingFailed<'a> {
    pub(super) what: &'static str,
    pub(super) error: &'a store::Error,
}

impl ForgettingFailed<'_> {
    pub(super) fn emit(self) {
        tracing::warn!(
            error = self.error as &(dyn std::error::Error + 'static),
            "forgetting {} failed; trying again in an hour",
            self.what
        );
    }
}
