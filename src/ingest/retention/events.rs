//! What retention tells logs and metrics.

use chrono::{DateTime, Utc};

use super::Fate;
use crate::runtime::telemetry::metric::{Metric, count};

/// A year lies wholly before the horizon.
#[derive(Debug)]
pub(super) struct YearExpired {
    pub(super) year: i32,
    pub(super) fate: Fate,
}

impl YearExpired {
    pub(super) fn emit(self) {
        let year = self.year;
        let fate = match self.fate {
            Fate::Dropped => "dropped",
            Fate::Named => "the feed names killmails of it; the others are deleted one by one",
            Fate::Busy => "in use all the time; dropping it is tried again later",
        };
        if self.fate == Fate::Dropped {
            count(Metric::YearsDropped, 1, &[]);
        }
        tracing::info!(year, fate, "a year is no longer kept");
    }
}

/// What lay before the horizon was deleted.
#[derive(Debug)]
pub(super) struct KillmailsExpired {
    pub(super) horizon: DateTime<Utc>,
    pub(super) killmails: u64,
}

impl KillmailsExpired {
    pub(super) fn emit(self) {
        let Self { horizon, killmails } = self;
        if killmails > 0 {
            count(Metric::KillmailsExpired, killmails, &[]);
            tracing::info!(%horizon, killmails, "killmails that are no longer kept were deleted");
        }
    }
}
