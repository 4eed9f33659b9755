//! What the making of statistics tells logs and metrics.

use std::time::Duration;

use chrono::NaiveDate;

use crate::runtime::telemetry::metric::{Metric, record, set_count};

/// The statistics of a day were made anew.
#[derive(Debug)]
pub(super) struct DayMade {
    pub(super) day: NaiveDate,
    pub(super) took: Duration,
}

impl DayMade {
    pub(super) fn emit(self) {
        let took_ms = self.took.as_millis();
        record(Metric::StatisticsDaySeconds, self.took.as_secs_f64(), &[]);
        tracing::debug!(day = %self.day, took_ms, "statistics of a day made");
    }
}

/// Marked days were counted.
#[derive(Debug)]
pub(super) struct DaysMarked(pub(super) i64);

impl DaysMarked {
    pub(super) fn emit(self) {
        let days = u64::try_from(self.0).unwrap_or_default();
        set_count(Metric::StatisticsDaysMarked, days, &[]);
    }
}
