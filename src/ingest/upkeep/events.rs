//! What upkeep tells logs and metrics.

use std::time::Duration;

use crate::ingest::upkeep::completer::Swept;
use crate::runtime::telemetry::metric::{Metric, count, record, set, set_count};
use crate::upstream::zkb::rest::RestError;

/// This process took upkeep over, or stands by.
#[derive(Debug)]
pub(super) struct OnDuty(pub(super) bool);

impl OnDuty {
    pub(super) fn emit(self) {
        set(Metric::UpkeepLeader, if self.0 { 1.0 } else { 0.0 }, &[]);
        tracing::debug!(on_duty = self.0, "upkeep");
    }
}

/// All pending documents were looked at.
#[derive(Debug)]
pub(super) struct SweepEnded {
    pub(super) swept: Swept,
    pub(super) took: Duration,
}

impl SweepEnded {
    pub(super) fn emit(self) {
        set_count(Metric::DocumentsPending, self.swept.left, &[]);
        record(Metric::SweepSeconds, self.took.as_secs_f64(), &[]);
        if self.swept.written > 0 {
            count(Metric::DocumentsCompleted, self.swept.completed, &[]);
            tracing::info!(
                written = self.swept.written,
                completed = self.swept.completed,
                pending = self.swept.left,
                "stored documents completed"
            );
        }
    }
}

/// zKillboard was asked for the values of a killmail.
#[derive(Debug)]
pub(super) struct ValuesAsked<'a> {
    pub(super) killmail_id: i64,
    /// Whether there were any.
    pub(super) found: Result<bool, &'a RestError>,
}

impl ValuesAsked<'_> {
    pub(super) fn emit(self) {
        let killmail_id = self.killmail_id;
        let outcome = match self.found {
            Ok(true) => "found",
            Ok(false) => "none",
            Err(_) => "failed",
        };
        count(Metric::ValuesAsked, 1, &[("outcome", outcome)]);
        if let Err(error) = self.found {
            tracing::warn!(killmail_id, %error, pause_ms = error.pause().as_millis(), "values can't be had");
        }
    }
}
