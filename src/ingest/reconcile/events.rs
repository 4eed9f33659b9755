//! What reconciling tells logs and metrics.

use super::Reconciled;
use crate::runtime::telemetry::metric::{Metric, count, set, set_count};
use crate::store::day_checks::Verdict;
use crate::store::gaps::Closing;

/// This process took reconciling over, or stands by.
#[derive(Debug)]
pub(super) struct OnDuty(pub(super) bool);

impl OnDuty {
    pub(super) fn emit(self) {
        set(Metric::ReconcileLeader, if self.0 { 1.0 } else { 0.0 }, &[]);
        tracing::debug!(on_duty = self.0, "reconciler");
    }
}

/// A run of the duty ended.
#[derive(Debug)]
pub(super) struct RunEnded<'a> {
    pub(super) scope: &'static str,
    pub(super) ended: Result<&'a Reconciled, &'a str>,
}

impl RunEnded<'_> {
    pub(super) fn emit(self) {
        let scope = self.scope;
        match self.ended {
            Ok(reconciled) => {
                let lacking = reconciled.count(Verdict::Lacking);
                count(Metric::ReconcileRuns, 1, &[("outcome", "done")]);
                set_count(
                    Metric::DaysLacking,
                    i64::try_from(lacking).unwrap_or(i64::MAX),
                    &[],
                );
                let (days, stored) = (reconciled.checks.len(), reconciled.documents.new);
                tracing::info!(scope, days, lacking, stored, gaps = ?reconciled.gaps, "days reconciled");
            }
            Err(error) => {
                count(Metric::ReconcileRuns, 1, &[("outcome", "failed")]);
                tracing::warn!(scope, error, "days could not be reconciled");
            }
        }
    }
}

/// Gaps of the live source were closed by history.
#[derive(Debug)]
pub(super) struct GapsClosed {
    pub(super) closing: Closing,
    pub(super) number: u64,
}

impl GapsClosed {
    /// Writes nothing for nothing.
    pub(super) fn emit(self) {
        let (closing, number) = (self.closing.as_str(), self.number);
        if number > 0 {
            count(Metric::GapsClosed, number, &[("closing", closing)]);
            tracing::info!(closing, number, "passed-over numbers closed by history");
        }
    }
}
