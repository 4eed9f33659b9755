//! Values that labels may have, where they are few and known before anything has happened.
//!
//! A counter that is not there before its first count hides that count: `increase()` sees a series begin, not grow.

use super::write::{count, set};
use super::{Kind, Metric};

/// Who brings killmails.
const SOURCES: &[&str] = &["r2z2", "redisq", "zkb", "import", "library", "everef"];
/// Why a document can't be read or stored.
const DEAD_LETTER_CODES: &[&str] = &[
    "not_json",
    "unknown_shape",
    "bad_field",
    "upstream_error",
    "no_body",
    "time_conflict",
    "refused_by_database",
];
/// Servers that are asked.
const HOSTS: &[&str] = &[
    "r2z2",
    "redisq",
    "zkb",
    "esi",
    "everef",
    "static_data",
    "other",
];
/// What becomes of requests to them.
const REQUEST_OUTCOMES: &[&str] = &[
    "ok",
    "not_modified",
    "redirect",
    "forbidden",
    "not_found",
    "rate_limited",
    "client_error",
    "server_error",
    "build",
    "connection",
    "timeout",
    "empty_body",
    "html",
    "too_large",
    "forbidden_address",
    "breaker_open",
    "unreadable",
];

impl Metric {
    /// Every value that `label` may have; `None` where they are not known beforehand.
    pub fn values(self, label: &str) -> Option<&'static [&'static str]> {
        let values: &[&str] = match (self, label) {
            (Self::BackfillDays | Self::BackfillDocuments, "source") => &["everef", "r2z2"],
            (_, "source") => SOURCES,
            (_, "code") => DEAD_LETTER_CODES,
            (_, "host") => HOSTS,
            (_, "cache") => &["names", "types", "systems"],
            (Self::WebsocketConnections, "protocol") => &["json", "phoenix"],
            (Self::SlowClientsClosed, "protocol") => &["json", "phoenix", "http"],
            (_, "protocol") => &["json", "phoenix", "sse"],
            (_, "reason") => &["requests", "connections", "streams", "head_timeout"],
            (_, "pool") => &[
                "primary",
                "read",
                "history",
                "replica_read",
                "replica_history",
            ],
            (Self::Webhooks, "state") => &["active", "retrying", "paused"],
            (Self::DatabaseConnections, "state") => &["used", "idle"],
            (_, "subject") => &["ship_types", "solar_systems", "names"],
            (_, "closing") => &["history_read", "history_unavailable"],
            (_, "outcome") => return self.outcomes(),
            _ => return None,
        };
        Some(values)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only these have the label")]
    fn outcomes(self) -> Option<&'static [&'static str]> {
        let values: &[&str] = match self {
            Self::KillmailsCommitted => &["new", "updated", "unchanged", "conflict"],
            Self::ReferenceDataChecks => &["loaded", "unchanged", "refused", "failed"],
            Self::ValuesAsked => &["found", "none", "failed"],
            Self::KillmailsEnriched => &["complete", "pending"],
            Self::BackfillDays => &["filled", "unchanged", "absent", "failed"],
            Self::UpstreamRequests => REQUEST_OUTCOMES,
            Self::WebhookDeliveries => &["delivered", "failed"],
            Self::HistoryPages => &["read", "failed"],
            Self::ReconcileRuns => &["done", "failed"],
            _ => return None,
        };
        Some(values)
    }

    /// Whether 0 is the truth before anything has happened. Of other gauges it would be a lie, and a histogram
    /// without values tells no more than one that is not there.
    fn starts_at_zero(self) -> bool {
        let is_event_gauge = matches!(
            self,
            Self::IngestLeader
                | Self::UpkeepLeader
                | Self::WebhookLeader
                | Self::PreloadLeader
                | Self::ReconcileLeader
                | Self::UpstreamBreakerOpen
                | Self::EsiDowntime
                | Self::WebsocketConnections
                | Self::SseConnections
                | Self::HttpConnections
        );
        self.description().kind == Kind::Counter || is_event_gauge
    }

    /// Every combination of its labels' values; none where one of them is not known beforehand.
    fn combinations(self) -> Vec<Vec<(&'static str, &'static str)>> {
        let mut all = vec![Vec::new()];
        for label in self.description().labels {
            let values = self.values(label).unwrap_or_default();
            let extended = |row: Vec<_>| {
                let with = move |value: &&'static str| {
                    let mut row = row.clone();
                    row.push((*label, *value));
                    row
                };
                values.iter().map(with)
            };
            all = all.into_iter().flat_map(extended).collect();
        }
        all
    }
}

/// Makes every series whose labels are known beforehand and that begins with 0.
pub fn precreate() {
    for metric in Metric::ALL.iter().filter(|metric| metric.starts_at_zero()) {
        for labels in metric.combinations() {
            match metric.description().kind {
                Kind::Counter => count(*metric, 0, &labels),
                Kind::Gauge => set(*metric, 0.0, &labels),
                Kind::Histogram => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_known_values_is_made() {
        assert_eq!(Metric::FeedDatabaseReads.combinations(), [Vec::new()]);
        let days = Metric::BackfillDays.combinations();
        assert_eq!(days.len(), 2 * 4);
        assert!(days.contains(&vec![("source", "r2z2"), ("outcome", "absent")]));
        assert!(Metric::HttpRequests.combinations().is_empty());
    }

    #[test]
    fn labels_without_known_values_are_few() {
        let unknown: Vec<(&str, &str)> = Metric::ALL
            .iter()
            .flat_map(|metric| {
                let labels = metric.description().labels.iter();
                labels
                    .filter(|label| metric.values(label).is_none())
                    .map(|label| (metric.name(), *label))
            })
            .collect();
        assert_eq!(
            unknown,
            [
                ("wanderer_kills_esi_budget_remaining", "group"),
                ("wanderer_kills_http_requests_total", "route"),
                ("wanderer_kills_http_requests_total", "status"),
                ("wanderer_kills_http_request_seconds", "route"),
                ("wanderer_kills_build_info", "version"),
            ]
        );
    }
}
