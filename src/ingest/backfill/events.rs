//! What a backfill reports: each fact a struct whose `emit()` writes log line and metric.

use std::time::Duration;

use chrono::NaiveDate;

use super::report::ShrunkDay;
use crate::ingest::import::Summary;
use crate::runtime::telemetry::metric::{Metric, count};

/// Something became of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayOutcome {
    Filled,
    Unchanged,
    Absent,
    Failed,
}

impl DayOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Unchanged => "unchanged",
            Self::Absent => "absent",
            Self::Failed => "failed",
        }
    }
}

/// Something became of some days.
#[derive(Debug)]
pub(super) struct DaysSettled {
    pub(super) source: &'static str,
    pub(super) outcome: DayOutcome,
    pub(super) days: u64,
}

impl DaysSettled {
    /// Writes nothing for nothing.
    pub(super) fn emit(self) {
        let (source, outcome, days) = (self.source, self.outcome.as_str(), self.days);
        if days == 0 {
            return;
        }
        let labels = [("source", source), ("outcome", outcome)];
        count(Metric::BackfillDays, days, &labels);
        tracing::debug!(source, outcome, days, "days of history settled");
    }
}

/// A year without killmails is loaded apart.
#[derive(Debug)]
pub(super) struct YearBegun {
    pub(super) year: i32,
}

impl YearBegun {
    pub(super) fn emit(self) {
        let year = self.year;
        tracing::info!(
            year,
            "loading a year apart: it is seen once all of its days are settled"
        );
    }
}

/// A year that was loaded apart is seen now.
#[derive(Debug)]
pub(super) struct YearAttached {
    pub(super) year: i32,
    /// Of building its indexes, mostly.
    pub(super) elapsed: Duration,
}

impl YearAttached {
    pub(super) fn emit(self) {
        let (year, elapsed) = (self.year, self.elapsed);
        tracing::info!(year, ?elapsed, "a year that was loaded apart is attached");
    }
}

/// A day was read to its end, and all of it is stored.
#[derive(Debug)]
pub(super) struct DayFilled<'a> {
    pub(super) source: &'static str,
    pub(super) day: NaiveDate,
    pub(super) documents: &'a Summary,
    pub(super) expected: Option<u64>,
}

impl DayFilled<'_> {
    pub(super) fn emit(self) {
        let (source, day, read) = (self.source, self.day, self.documents.read);
        count(Metric::BackfillDocuments, read, &[("source", source)]);
        tracing::info!(source, %day, "day filled: {}", self.documents);
        if let Some(expected) = self.expected.filter(|expected| *expected > read) {
            tracing::warn!(source, %day, expected, read, "the source counts more killmails than its file has");
        }
    }
}

/// A day could not be read. It is tried again, or left to the next run.
#[derive(Debug)]
pub(super) struct DayFailed<'a> {
    pub(super) source: &'static str,
    pub(super) day: NaiveDate,
    pub(super) reason: &'a str,
    pub(super) again: bool,
}

impl DayFailed<'_> {
    pub(super) fn emit(self) {
        let (source, day, reason, again) = (self.source, self.day, self.reason, self.again);
        tracing::warn!(source, %day, reason, again, "a day of history could not be read");
    }
}

/// A day has fewer documents than it once had.
#[derive(Debug)]
pub(super) struct DayShrunk {
    pub(super) source: &'static str,
    pub(super) shrunk: ShrunkDay,
}

impl DayShrunk {
    pub(super) fn emit(self) {
        let ShrunkDay {
            day,
            documents,
            before,
        } = self.shrunk;
        let source = self.source;
        tracing::warn!(source, %day, documents, before, "a day of history has shrunk; nothing is deleted");
    }
}
