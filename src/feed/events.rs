//! What the feed tells logs and metrics.

use super::Status;
use crate::runtime::telemetry::metric::{Metric, count, set_count};
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
        set_count(Metric::RingBytes, status.ring_bytes, &[]);
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
