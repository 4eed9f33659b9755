//! What the HTTP side tells logs and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;

use crate::feed::FeedEvent;
use crate::runtime::clock::SharedClock;
use crate::runtime::telemetry::metric::{Metric, add, count, record};

/// What the clients of a stream speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A plain JSON websocket.
    Json,
    /// Phoenix channels on a websocket.
    Phoenix,
    /// Anything that is plain HTTP: pages, polls, server-sent events.
    Http,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Phoenix => "phoenix",
            Self::Http => "http",
        }
    }
}

/// Killmails were pushed to the client of a stream.
#[derive(Debug)]
pub(super) struct Pushed {
    /// The metric's label: `json`, `phoenix` or `sse`.
    pub(super) protocol: &'static str,
    pub(super) killmails: usize,
    /// Since the commit of the first of them.
    pub(super) waited: Option<TimeDelta>,
}

/// How long ago the first of `events` was committed.
pub(super) fn since_commit(clock: &SharedClock, events: &[Arc<FeedEvent>]) -> Option<TimeDelta> {
    events.first().map(|event| clock.now() - event.committed_at)
}

impl Pushed {
    pub(super) fn emit(self) {
        if self.killmails > 0 {
            let killmails = u64::try_from(self.killmails).unwrap_or(u64::MAX);
            count(
                Metric::StreamKillmails,
                killmails,
                &[("protocol", self.protocol)],
            );
            if let Some(waited) = self.waited {
                // The clocks of two machines differ.
                let waited = waited.to_std().unwrap_or_default().as_secs_f64();
                record(
                    Metric::SendLagSeconds,
                    waited,
                    &[("protocol", self.protocol)],
                );
            }
        }
    }
}

/// The head of an answer is ready.
#[derive(Debug)]
pub(super) struct Answered<'a> {
    /// The route as it is written in the router; `None` where none matched.
    pub(super) route: Option<&'a str>,
    pub(super) status: StatusCode,
    pub(super) took: Duration,
}

impl Answered<'_> {
    pub(super) fn emit(self) {
        let route = ("route", self.route.unwrap_or("none"));
        let class = ("status", class(self.status));
        count(Metric::HttpRequests, 1, &[route, class]);
        record(
            Metric::HttpRequestSeconds,
            self.took.as_secs_f64(),
            &[route],
        );
        tracing::debug!(
            route = route.1,
            status = self.status.as_u16(),
            took_ms = self.took.as_millis(),
            "answered"
        );
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// A client was turned away by a limit.
#[derive(Debug)]
pub(super) struct LimitReached {
    /// The metric's `reason`.
    pub(super) what: &'static str,
}

impl LimitReached {
    pub(super) fn emit(self) {
        count(Metric::HttpRefused, 1, &[("reason", self.what)]);
        tracing::debug!(reason = self.what, "a client was turned away");
    }
}

/// A client that took nothing for too long was disconnected.
#[derive(Debug)]
pub(super) struct SlowClientClosed {
    pub(super) protocol: Protocol,
}

impl SlowClientClosed {
    pub(super) fn emit(self) {
        let protocol = self.protocol.name();
        count(Metric::SlowClientsClosed, 1, &[("protocol", protocol)]);
        tracing::info!(protocol, "a client that does not read was disconnected");
    }
}

/// A connection that stays, counted for as long as this lives.
#[derive(Debug)]
pub(super) struct Staying {
    metric: Metric,
    labels: &'static [(&'static str, &'static str)],
    /// Where else it is counted.
    open: Option<Arc<AtomicUsize>>,
}

impl Staying {
    /// A connection has opened.
    pub(super) fn connection() -> Self {
        Self::count_in(Metric::HttpConnections, &[])
    }

    /// A plain JSON websocket has opened.
    pub(super) fn websocket() -> Self {
        Self::count_in(Metric::WebsocketConnections, &[("protocol", "json")])
    }

    /// A websocket with Phoenix channels has opened.
    pub(super) fn phoenix() -> Self {
        Self::count_in(Metric::WebsocketConnections, &[("protocol", "phoenix")])
    }

    /// An event stream has opened; counted in `open` too.
    pub(super) fn event_stream(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        let mut staying = Self::count_in(Metric::SseConnections, &[]);
        staying.open = Some(Arc::clone(open));
        staying
    }

    fn count_in(metric: Metric, labels: &'static [(&'static str, &'static str)]) -> Self {
        add(metric, 1.0, labels);
        Self {
            metric,
            labels,
            open: None,
        }
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        add(self.metric, -1.0, self.labels);
        if let Some(open) = &self.open {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_fall_into_five_classes() {
        for (status, expected) in [
            (StatusCode::SWITCHING_PROTOCOLS, "1xx"),
            (StatusCode::OK, "2xx"),
            (StatusCode::GONE, "4xx"),
            (StatusCode::SERVICE_UNAVAILABLE, "5xx"),
        ] {
            assert_eq!(class(status), expected);
        }
    }
}
