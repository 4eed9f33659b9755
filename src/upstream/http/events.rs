//! What the client tells logs and metrics.

use std::time::Duration;

use crate::runtime::telemetry::metric::{self, Metric};

/// A request ended.
#[derive(Debug)]
pub(super) struct RequestEnded<'a> {
    pub(super) name: &'static str,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) outcome: &'static str,
    pub(super) took: Duration,
    pub(super) waited: Duration,
    pub(super) bytes: usize,
}

impl RequestEnded<'_> {
    pub(super) fn emit(self) {
        let host = ("host", self.name);
        metric::count(
            Metric::UpstreamRequests,
            1,
            &[host, ("outcome", self.outcome)],
        );
        metric::record(
            Metric::UpstreamRequestSeconds,
            self.took.as_secs_f64(),
            &[host],
        );
        metric::record(
            Metric::UpstreamWaitSeconds,
            self.waited.as_secs_f64(),
            &[host],
        );
        tracing::debug!(
            host = self.host,
            path = self.path,
            outcome = self.outcome,
            took_ms = self.took.as_millis(),
            waited_ms = self.waited.as_millis(),
            bytes = self.bytes,
            "upstream request ended"
        );
    }
}

/// A host failed too often.
#[derive(Debug)]
pub(super) struct BreakerOpened<'a> {
    pub(super) name: &'static str,
    pub(super) host: &'a str,
    pub(super) pause: Duration,
}

impl BreakerOpened<'_> {
    pub(super) fn emit(self) {
        metric::set(Metric::UpstreamBreakerOpen, 1.0, &[("host", self.name)]);
        tracing::warn!(
            host = self.host,
            pause_ms = self.pause.as_millis(),
            "upstream keeps failing; it is left alone for a while"
        );
    }
}

/// A host is back.
#[derive(Debug)]
pub(super) struct BreakerClosed<'a> {
    pub(super) name: &'static str,
    pub(super) host: &'a str,
}

impl BreakerClosed<'_> {
    pub(super) fn emit(self) {
        metric::set(Metric::UpstreamBreakerOpen, 0.0, &[("host", self.name)]);
        tracing::info!(host = self.host, "upstream answers again");
    }
}
