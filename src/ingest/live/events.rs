//! What the live source tells logs and metrics.

use chrono::{DateTime, Utc};

use crate::runtime::telemetry::metric::{Metric, record, set, set_count};
use crate::upstream::zkb::r2z2::{Alert, Hole};

/// This process follows the source now.
#[derive(Debug)]
pub(super) struct TermBegun {
    pub(super) source: &'static str,
    pub(super) epoch: i64,
}

impl TermBegun {
    pub(super) fn emit(self) {
        set(Metric::IngestLeader, 1.0, &[]);
        tracing::info!(
            source = self.source,
            epoch = self.epoch,
            "following the live source"
        );
    }
}

/// This process stands by: another one follows the source, or nobody does yet.
#[derive(Debug)]
pub(super) struct StandingBy {
    pub(super) source: &'static str,
}

impl StandingBy {
    pub(super) fn emit(self) {
        set(Metric::IngestLeader, 0.0, &[]);
        tracing::debug!(source = self.source, "standing by for the live source");
    }
}

/// How far the source is ahead was heard.
#[derive(Debug)]
pub(super) struct LagHeard {
    pub(super) source: &'static str,
    /// Negative where we were ahead of what the source calls its newest, which is usual.
    pub(super) documents: i64,
}

impl LagHeard {
    /// The metric alone: it is heard with every document.
    pub(super) fn emit(self) {
        let behind = self.documents.max(0);
        set_count(Metric::SourceLag, behind, &[("source", self.source)]);
    }
}

/// A document of the source is here.
#[derive(Debug)]
pub(super) struct DocumentArrived {
    pub(super) source: &'static str,
    /// Where the source says.
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

impl DocumentArrived {
    /// The metric alone: batches have the log line.
    pub(super) fn emit(self) {
        if let Some(published_at) = self.published_at {
            // The clocks of two machines differ.
            let lag = (self.now - published_at).to_std().unwrap_or_default();
            record(
                Metric::PublicationLagSeconds,
                lag.as_secs_f64(),
                &[("source", self.source)],
            );
        }
    }
}

/// Numbers that are left to history.
pub(super) fn hole(hole: Hole) {
    tracing::warn!(
        from = hole.from,
        to = hole.to,
        "too far behind: these R2Z2 numbers are skipped and left to history"
    );
}

/// Something a person should know.
pub(super) fn alert(alert: Alert) {
    match alert {
        Alert::Stale(since) => stale(since.as_secs() / 60),
        Alert::Banned(pause) => banned(pause.as_secs() / 60),
        Alert::SnappedBack(number) => snapped_back(number),
    }
}

fn stale(minutes: u64) {
    tracing::warn!(minutes, "R2Z2 has had nothing new for a while");
}

fn banned(minutes: u64) {
    tracing::error!(
        minutes,
        "R2Z2 refuses this address (403); it is left alone for a while"
    );
}

fn snapped_back(number: i64) {
    tracing::error!(
        number,
        "the stored R2Z2 position does not exist there; following from near its head again"
    );
}
