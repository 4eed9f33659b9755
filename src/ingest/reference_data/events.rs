//! What reference data tells logs and metrics.

use std::time::Duration;

use super::load::{Loaded, Outcome};
use crate::runtime::telemetry::metric::{Metric, count, set_count};
use crate::store::reference_data::LastLoad;

/// A table was stored, or refused.
#[derive(Debug)]
pub(super) struct RowsStored<'a> {
    pub(super) loaded: &'a Loaded,
}

impl RowsStored<'_> {
    pub(super) fn emit(self) {
        let subject = self.loaded.table.as_str();
        let rows = match &self.loaded.outcome {
            Outcome::Stored(written) => {
                tracing::info!(
                    subject,
                    rows = self.loaded.rows,
                    new = written.new,
                    changed = written.changed,
                    "reference data stored"
                );
                self.loaded.rows
            }
            Outcome::Refused { stored } => {
                tracing::warn!(
                    subject,
                    rows = self.loaded.rows,
                    stored,
                    "reference data has shrunk, the stored table is kept"
                );
                *stored
            }
        };
        set_count(Metric::ReferenceDataRows, rows, &[("subject", subject)]);
    }
}

/// What an earlier load had was read.
#[derive(Debug)]
pub(super) struct RowsKnown<'a> {
    pub(super) load: &'a LastLoad,
}

impl RowsKnown<'_> {
    pub(super) fn emit(self) {
        let subject = [("subject", self.load.subject.as_str())];
        set_count(Metric::ReferenceDataRows, self.load.row_count, &subject);
        tracing::trace!(
            subject = self.load.subject,
            rows = self.load.row_count,
            "reference data known"
        );
    }
}

/// The origin was asked.
#[derive(Debug)]
pub(super) struct CheckEnded {
    /// `loaded`, `unchanged`, `refused` or `failed`.
    pub(super) outcome: &'static str,
    pub(super) reason: Option<String>,
    /// Until the next check.
    pub(super) wait: Duration,
}

impl CheckEnded {
    pub(super) fn emit(self) {
        count(Metric::ReferenceDataChecks, 1, &[("outcome", self.outcome)]);
        let next_check_seconds = self.wait.as_secs();
        match self.reason {
            None => tracing::info!(
                outcome = self.outcome,
                next_check_seconds,
                "reference data checked"
            ),
            Some(reason) => tracing::warn!(
                outcome = self.outcome,
                reason,
                next_check_seconds,
                "reference data not loaded"
            ),
        }
    }
}
