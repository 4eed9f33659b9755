//! What the preloader tells logs and metrics.

use std::time::Duration;

use crate::domain::HistoryKey;
use crate::ingest::import::Summary;
use crate::runtime::telemetry::metric::{Metric, count, set, set_count};

/// A term ended before it was asked to.
#[derive(Debug)]
pub(super) struct TermEnded<'a> {
    pub(super) error: &'a anyhow::Error,
    pub(super) pause: Duration,
}

impl TermEnded<'_> {
    pub(super) fn emit(self) {
        tracing::warn!(
            error = format!("{:#}", self.error),
            pause_ms = self.pause.as_millis(),
            "the preloader stopped and starts over"
        );
    }
}

/// This process took preloading over, or stands by.
#[derive(Debug)]
pub(super) struct OnDuty(pub(super) bool);

impl OnDuty {
    pub(super) fn emit(self) {
        set(Metric::PreloadLeader, if self.0 { 1.0 } else { 0.0 }, &[]);
        tracing::debug!(on_duty = self.0, "preloader");
    }
}

/// The open wishes were counted.
#[derive(Debug)]
pub(super) struct WishesCounted {
    pub(super) open: i64,
}

impl WishesCounted {
    pub(super) fn emit(self) {
        let open = u64::try_from(self.open).unwrap_or_default();
        set_count(Metric::HistoryWishesOpen, open, &[]);
    }
}

/// A page of somebody's past was stored.
#[derive(Debug)]
pub(super) struct PageRead {
    pub(super) key: HistoryKey,
    pub(super) page: i32,
    pub(super) summary: Summary,
    /// The reading is over; true where it was cut off.
    pub(super) ended: Option<bool>,
}

impl PageRead {
    pub(super) fn emit(self) {
        count(Metric::HistoryPages, 1, &[("outcome", "read")]);
        count(Metric::HistoryKillmails, self.summary.new, &[]);
        let entity = self.key.to_string();
        tracing::debug!(entity, page = self.page, "history read: {}", self.summary);
        if let Some(truncated) = self.ended {
            ended(&entity, truncated);
        }
    }
}

fn ended(entity: &str, truncated: bool) {
    if truncated {
        tracing::warn!(entity, "history has more than is read for one wish");
    } else {
        tracing::info!(entity, "history is complete");
    }
}

/// A page could not be read or stored.
#[derive(Debug)]
pub(super) struct PageFailed<'a> {
    pub(super) key: HistoryKey,
    pub(super) error: &'a str,
    pub(super) pause: Duration,
    pub(super) given_up: bool,
}

impl PageFailed<'_> {
    pub(super) fn emit(self) {
        count(Metric::HistoryPages, 1, &[("outcome", "failed")]);
        tracing::warn!(
            entity = %self.key,
            error = self.error,
            pause_ms = self.pause.as_millis(),
            given_up = self.given_up,
            "history can't be read"
        );
    }
}
