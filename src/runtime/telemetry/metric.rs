//! The only place that names metrics.

/// What a metric is in Prometheus' terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Values sorted into buckets.
    Histogram,
}

impl Kind {
    /// The word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What is known about a metric beside its values.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// The name in Prometheus' exposition.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Its labels, each with few values.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

/// Every metric of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Killmails committed, by `source` and `outcome` (`new`, `updated`, `unchanged`).
    KillmailsCommitted,
    /// Seconds that one transaction of the committer took.
    CommitSeconds,
    /// Killmails in one transaction of the committer.
    BatchKillmails,
    /// Seconds from a kill to the commit of its killmail.
    LagSeconds,
    /// 1 while this process runs the live source, else 0.
    IngestLeader,
    /// Missing upstream sequence numbers that are still looked for.
    GapsOpen,
    /// Bytes from a source that could not be read, by reason `code`.
    DeadLetters,
    /// Look-ups that a memory cache answered.
    CacheHits,
    /// Look-ups that a memory cache could not answer.
    CacheMisses,
    /// Newest sequence number of the feed that this process has read.
    FeedHead,
    /// Readers of the feed in this process.
    FeedReaders,
    /// Events that are kept in memory for readers.
    RingEvents,
    /// Bytes of the documents that are kept in memory for readers.
    RingBytes,
    /// Pages that readers behind the ring fetched from the database.
    FeedDatabaseReads,
    /// Webhook requests, by `outcome`.
    WebhookDeliveries,
    /// Requests to other servers, by `host` and `outcome`.
    UpstreamRequests,
    /// Seconds until another server had answered.
    UpstreamRequestSeconds,
    /// Seconds that a request waited for its server's budget.
    UpstreamWaitSeconds,
    /// 1 while a server is not asked because it failed repeatedly, else 0.
    UpstreamBreakerOpen,
    /// Requests that we answered, by `route` and `status` class (`2xx`, `4xx`, …).
    HttpRequests,
    /// Seconds until an answer's head was ready.
    HttpRequestSeconds,
    /// Open websockets, by `protocol` (`phoenix`, `json`).
    WebsocketConnections,
    /// Open event streams.
    SseConnections,
    /// Clients that were disconnected because they did not read.
    SlowClientsClosed,
}

impl Metric {
    /// All metrics, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::KillmailsCommitted,
        Self::CommitSeconds,
        Self::BatchKillmails,
        Self::LagSeconds,
        Self::IngestLeader,
        Self::GapsOpen,
        Self::DeadLetters,
        Self::CacheHits,
        Self::CacheMisses,
        Self::FeedHead,
        Self::FeedReaders,
        Self::RingEvents,
        Self::RingBytes,
        Self::FeedDatabaseReads,
        Self::WebhookDeliveries,
        Self::UpstreamRequests,
        Self::UpstreamRequestSeconds,
        Self::UpstreamWaitSeconds,
        Self::UpstreamBreakerOpen,
        Self::HttpRequests,
        Self::HttpRequestSeconds,
        Self::WebsocketConnections,
        Self::SseConnections,
        Self::SlowClientsClosed,
    ];

    /// The name in Prometheus' exposition.
    pub fn name(self) -> &'static str {
        self.description().name
    }

    /// Name, kind, labels and help.
    #[expect(clippy::too_many_lines, reason = "a table: one row per metric")]
    pub fn description(self) -> Description {
        match self {
            Self::KillmailsCommitted => counter(
                "wanderer_kills_killmails_committed_total",
                &["source", "outcome"],
                "Killmails committed, by `source` and `outcome` (`new`, `updated`, `unchanged`).",
            ),
            Self::CommitSeconds => histogram(
                "wanderer_kills_commit_seconds",
                &["source"],
                "Seconds that one transaction of the committer took.",
            ),
            Self::BatchKillmails => histogram(
                "wanderer_kills_batch_killmails",
                &["source"],
                "Killmails in one transaction of the committer.",
            ),
            Self::LagSeconds => histogram(
                "wanderer_kills_lag_seconds",
                &["source"],
                "Seconds from a kill to the commit of its killmail.",
            ),
            Self::IngestLeader => gauge(
                "wanderer_kills_ingest_leader",
                &[],
                "1 while this process runs the live source, else 0.",
            ),
            Self::GapsOpen => gauge(
                "wanderer_kills_gaps_open",
                &["source"],
                "Missing upstream sequence numbers that are still looked for.",
            ),
            Self::DeadLetters => counter(
                "wanderer_kills_dead_letters_total",
                &["source", "code"],
                "Bytes from a source that could not be read, by reason `code`.",
            ),
            Self::CacheHits => counter(
                "wanderer_kills_cache_hits_total",
                &["cache"],
                "Look-ups that a memory cache answered.",
            ),
            Self::CacheMisses => counter(
                "wanderer_kills_cache_misses_total",
                &["cache"],
                "Look-ups that a memory cache could not answer.",
            ),
            Self::FeedHead => gauge(
                "wanderer_kills_feed_head",
                &[],
                "Newest sequence number of the feed that this process has read.",
            ),
            Self::FeedReaders => gauge(
                "wanderer_kills_feed_readers",
                &[],
                "Readers of the feed in this process.",
            ),
            Self::RingEvents => gauge(
                "wanderer_kills_ring_events",
                &[],
                "Events that are kept in memory for readers.",
            ),
            Self::RingBytes => gauge(
                "wanderer_kills_ring_bytes",
                &[],
                "Bytes of the documents that are kept in memory for readers.",
            ),
            Self::FeedDatabaseReads => counter(
                "wanderer_kills_feed_database_reads_total",
                &[],
                "Pages that readers behind the ring fetched from the database.",
            ),
            Self::WebhookDeliveries => counter(
                "wanderer_kills_webhook_deliveries_total",
                &["outcome"],
                "Webhook requests, by `outcome`.",
            ),
            Self::UpstreamRequests => counter(
                "wanderer_kills_upstream_requests_total",
                &["host", "outcome"],
                "Requests to other servers, by `host` and `outcome`.",
            ),
            Self::UpstreamRequestSeconds => histogram(
                "wanderer_kills_upstream_request_seconds",
                &["host"],
                "Seconds until another server had answered.",
            ),
            Self::UpstreamWaitSeconds => histogram(
                "wanderer_kills_upstream_wait_seconds",
                &["host"],
                "Seconds that a request waited for its server's budget.",
            ),
            Self::UpstreamBreakerOpen => gauge(
                "wanderer_kills_upstream_breaker_open",
                &["host"],
                "1 while a server is not asked because it failed repeatedly, else 0.",
            ),
            Self::HttpRequests => counter(
                "wanderer_kills_http_requests_total",
                &["route", "status"],
                "Requests that we answered, by `route` and `status` class (`2xx`, `4xx`, …).",
            ),
            Self::HttpRequestSeconds => histogram(
                "wanderer_kills_http_request_seconds",
                &["route"],
                "Seconds until an answer's head was ready.",
            ),
            Self::WebsocketConnections => gauge(
                "wanderer_kills_websocket_connections",
                &["protocol"],
                "Open websockets, by `protocol` (`phoenix`, `json`).",
            ),
            Self::SseConnections => {
                gauge("wanderer_kills_sse_connections", &[], "Open event streams.")
            }
            Self::SlowClientsClosed => counter(
                "wanderer_kills_slow_clients_closed_total",
                &["protocol"],
                "Clients that were disconnected because they did not read.",
            ),
        }
    }
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Description {
    Description {
        name,
        kind: Kind::Counter,
        labels,
        help,
    }
}

const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Description {
    Description {
        name,
        kind: Kind::Gauge,
        labels,
        help,
    }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Description {
    Description {
        name,
        kind: Kind::Histogram,
        labels,
        help,
    }
}

/// Adds to a counter.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn count(metric: Metric, by: u64, labels: &[(&'static str, &'static str)]) {
    let labels: Vec<metrics::Label> = labels
        .iter()
        .map(|(key, value)| metrics::Label::from_static_parts(key, value))
        .collect();
    metrics::counter!(metric.name(), labels).increment(by);
}

/// Sets a gauge.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn set(metric: Metric, value: f64, labels: &[(&'static str, &'static str)]) {
    let labels: Vec<metrics::Label> = labels
        .iter()
        .map(|(key, value)| metrics::Label::from_static_parts(key, value))
        .collect();
    metrics::gauge!(metric.name(), labels).set(value);
}

/// Records a value in a histogram.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn record(metric: Metric, value: f64, labels: &[(&'static str, &'static str)]) {
    let labels: Vec<metrics::Label> = labels
        .iter()
        .map(|(key, value)| metrics::Label::from_static_parts(key, value))
        .collect();
    metrics::histogram!(metric.name(), labels).record(value);
}
