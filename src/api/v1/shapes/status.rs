//! The shape of `GET /status`.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// The numbers of this process and of the database.
#[derive(ToSchema)]
pub(in crate::api::v1) struct Status {
    /// Everything that is counted.
    pub(super) metrics: StatusMetrics,
    /// What matters most.
    pub(super) summary: StatusSummary,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// What matters most. What has no counterpart here is null.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusSummary {
    pub(super) api_requests_per_minute: f64,
    pub(super) active_subscriptions: u64,
    pub(super) killmails_stored: i64,
    /// Percent.
    pub(super) cache_hit_rate: f64,
    #[schema(required = true)]
    pub(super) memory_usage_mb: Option<f64>,
    pub(super) uptime_hours: u64,
    /// Age of the newest killmail; 999999 without any.
    pub(super) processing_lag_seconds: i64,
    #[schema(required = true)]
    pub(super) active_preload_tasks: Option<i64>,
}

/// Everything that is counted.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusMetrics {
    pub(super) system: StatusSystem,
    pub(super) websocket: StatusWebsocket,
    pub(super) processing: StatusProcessing,
    pub(super) storage: StatusStorage,
    pub(super) api: StatusApi,
    pub(super) sse: StatusSse,
    pub(super) parser_stats: StatusParser,
}

/// The process.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusSystem {
    pub(super) memory: StatusMemory,
    #[schema(required = true)]
    pub(super) processes: Option<i64>,
    pub(super) uptime_seconds: u64,
}

/// The memory of the process.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusMemory {
    /// Resident bytes; null where the system does not tell.
    #[schema(required = true)]
    pub(super) total: Option<u64>,
}

/// Websockets.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusWebsocket {
    pub(super) kills_sent: StatusSent,
    pub(super) connections: StatusActive,
    pub(super) subscriptions: StatusActive,
    pub(super) uptime_seconds: u64,
}

/// Killmails sent through websockets since the start.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusSent {
    pub(super) realtime: f64,
    /// Always null: preloads are not counted apart.
    #[schema(required = true)]
    pub(super) preload: Option<f64>,
}

/// How many there are now.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusActive {
    pub(super) active: f64,
}

/// The stream from the upstream.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusProcessing {
    pub(super) redisq_received: f64,
    /// Since a source last moved; 999999 where none ever did.
    pub(super) redisq_last_killmail_ago_seconds: i64,
    pub(super) processing_lag_seconds: i64,
}

/// What is stored.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusStorage {
    pub(super) killmails_count: i64,
    /// Systems with kills in the last day.
    pub(super) systems_count: i64,
}

/// Requests to the upstreams.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusApi {
    pub(super) zkillboard: StatusUpstream,
    pub(super) esi: StatusUpstream,
}

/// Requests to one upstream.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusUpstream {
    pub(super) total_requests: f64,
    pub(super) requests_per_minute: f64,
    pub(super) error_count: f64,
    pub(super) avg_duration_ms: f64,
}

/// Event streams.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusSse {
    pub(super) events_sent_total: f64,
    pub(super) connections_active: f64,
}

/// What became of killmails.
#[derive(ToSchema)]
pub(in crate::api::v1) struct StatusParser {
    pub(super) stored: f64,
    pub(super) skipped: f64,
    pub(super) failed: f64,
    pub(super) total_processed: f64,
    #[schema(required = true)]
    pub(super) last_reset: Option<DateTime<Utc>>,
}
