//! What the client tells logs and metrics.

use super::downtime::Cause;
use super::operation::Operation;
use crate::runtime::telemetry::metric::{self, Metric};

/// An answer told what is left.
#[derive(Debug)]
pub(super) struct BudgetTold {
    pub(super) operation: Operation,
    pub(super) tokens_left: Option<u64>,
    pub(super) errors_left: Option<u64>,
}

impl BudgetTold {
    pub(super) fn emit(self) {
        if let Some(left) = self.tokens_left {
            // The route's word instead of the group's name: that one comes from a server.
            let group = ("group", self.operation.word());
            metric::set_count(Metric::EsiBudgetRemaining, left, &[group]);
        }
        if let Some(left) = self.errors_left {
            metric::set_count(Metric::EsiErrorsRemaining, left, &[]);
        }
    }
}

/// ESI is left alone from now on, or may be asked again.
#[derive(Debug)]
pub(super) struct DowntimeChanged {
    pub(super) cause: Option<Cause>,
}

impl DowntimeChanged {
    pub(super) fn emit(self) {
        let shut = if self.cause.is_some() { 1.0 } else { 0.0 };
        metric::set(Metric::EsiDowntime, shut, &[]);
        if let Some(cause) = self.cause {
            tracing::info!(
                cause = cause.words(),
                "ESI is left alone until its status is good"
            );
        } else {
            tracing::info!("ESI is back from its downtime");
        }
    }
}

/// ESI refused a batch of names; the ids that are to blame are looked for.
#[derive(Debug)]
pub(super) struct BatchRefused {
    pub(super) ids: usize,
}

impl BatchRefused {
    pub(super) fn emit(self) {
        tracing::debug!(ids = self.ids, "ESI refuses a batch of ids");
    }
}
