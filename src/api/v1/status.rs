//! `GET /status`: `{"metrics":{…},"summary":{…},"timestamp":"…"}`, the numbers of the original in its places.
//!
//! They come from this process, its metrics, and the database. What has no counterpart here (the virtual
//! machine's processes, ports and tables) is null.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::envelope::{json_text, timestamp};
use super::exposition::Exposition;
use super::shapes::{Failures, Status};
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::{ApiError, ApiState};
use crate::runtime::memory;
use crate::store::health::ingest_status;
use crate::store::killmails::history;

/// What the original says where it has never received anything.
const NEVER_SECONDS: i64 = 999_999;

/// Counts.
///
/// # Errors
/// When the database can't be read.
#[utoipa::path(
    get,
    path = "/status",
    operation_id = "get_status",
    tag = WANDERER_KILLS,
    summary = "The numbers of this process and of the database",
    description = "In the places that WandererKills has for them. What has no counterpart here is null.",
    responses(
        (status = 200, description = "The numbers.", body = Status),
        Failures,
    ),
)]
pub(super) async fn handle(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let _permit = state.admission.request()?;
    let now = state.clock.now();
    let since = now - TimeDelta::hours(24);
    let pool = &state.store.reads.any().await.reads;
    let stored = history::stored_roughly(pool, since).await?;
    let mut connection = pool.acquire().await.map_err(unreachable)?;
    let ingest = ingest_status(&mut connection).await?;
    drop(connection);
    let seen = Seen {
        exposition: Exposition::read(&state.metrics.render()),
        stored,
        lag_seconds: seconds_since(ingest.newest_killmail, now),
        silent_seconds: seconds_since(
            ingest.sources.iter().map(|source| source.updated_at).max(),
            now,
        ),
        readers: state.feed.status().readers,
        channels: state.phoenix.subscriptions(),
        preloads: state.phoenix.preloads(),
        resident: memory::resident(),
        up_seconds: state.clock.monotonic().as_secs(),
    };
    let body = json!({
        "metrics": seen.metrics(),
        "summary": seen.summary(),
        "timestamp": timestamp(now),
    });
    Ok(json_text(body.to_string()))
}

fn seconds_since(moment: Option<DateTime<Utc>>, now: DateTime<Utc>) -> i64 {
    moment.map_or(NEVER_SECONDS, |moment| (now - moment).num_seconds().max(0))
}

fn unreachable(source: sqlx::Error) -> crate::store::Error {
    crate::store::Error::Query {
        operation: "reading the service's status",
        source,
    }
}

/// What is known at one moment.
struct Seen {
    exposition: Exposition,
    /// Killmails, and systems with kills in the last day.
    stored: (i64, i64),
    lag_seconds: i64,
    silent_seconds: i64,
    readers: usize,
    /// Joined Phoenix channels.
    channels: usize,
    preloads: usize,
    /// Bytes.
    resident: Option<u64>,
    up_seconds: u64,
}

impl Seen {
    fn summary(&self) -> Value {
        let (killmails, _) = self.stored;
        let total = |name| self.exposition.sum(name, &[]);
        let hits = total("wanderer_kills_cache_hits_total");
        let looked_up = hits + total("wanderer_kills_cache_misses_total");
        let requests = total("wanderer_kills_upstream_requests_total");
        json!({
            "api_requests_per_minute": round(self.a_minute(requests)),
            "active_subscriptions": self.readers,
            "killmails_stored": killmails,
            "cache_hit_rate": round(100.0 * ratio(hits, looked_up)),
            "memory_usage_mb": self.resident.map(|bytes| bytes / 1_048_576),
            "uptime_hours": self.up_seconds / 3_600,
            "processing_lag_seconds": self.lag_seconds,
            "active_preload_tasks": self.preloads,
        })
    }

    fn metrics(&self) -> Value {
        let (killmails, systems) = self.stored;
        let total = |name, labels: &[&str]| self.exposition.sum(name, labels);
        let committed = |outcome| total("wanderer_kills_killmails_committed_total", &[outcome]);
        let stored = committed("outcome=\"new\"") + committed("outcome=\"updated\"");
        let skipped = committed("outcome=\"unchanged\"");
        let pushed = |protocol| total("wanderer_kills_stream_killmails_total", &[protocol]);
        let failed = total("wanderer_kills_dead_letters_total", &[]);
        json!({
            "system": {
                "memory": { "total": self.resident },
                "processes": null,
                "uptime_seconds": self.up_seconds,
            },
            "websocket": {
                "kills_sent": { "realtime": pushed("json") + pushed("phoenix"), "preload": null },
                "connections": { "active": total("wanderer_kills_websocket_connections", &[]) },
                "subscriptions": { "active": self.channels },
                "uptime_seconds": self.up_seconds,
            },
            "processing": {
                "redisq_received": stored + skipped,
                "redisq_last_killmail_ago_seconds": self.silent_seconds,
                "processing_lag_seconds": self.lag_seconds,
            },
            "storage": { "killmails_count": killmails, "systems_count": systems },
            "api": { "zkillboard": self.upstream("zkill"), "esi": self.upstream("esi") },
            "sse": {
                "events_sent_total": pushed("sse"),
                "connections_active": total("wanderer_kills_sse_connections", &[]),
            },
            "parser_stats": {
                "stored": stored,
                "skipped": skipped,
                "failed": failed,
                "total_processed": stored + skipped + failed,
                "last_reset": null,
            },
        })
    }

    /// Requests to the servers whose name has `host` in it.
    fn upstream(&self, host: &str) -> Value {
        let sum = |name, labels: &[&str]| self.exposition.sum(name, labels);
        let requests = sum("wanderer_kills_upstream_requests_total", &[host]);
        let good = sum(
            "wanderer_kills_upstream_requests_total",
            &[host, "outcome=\"ok\""],
        );
        let seconds = sum("wanderer_kills_upstream_request_seconds_sum", &[host]);
        let timed = sum("wanderer_kills_upstream_request_seconds_count", &[host]);
        json!({
            "total_requests": requests,
            "requests_per_minute": round(self.a_minute(requests)),
            "error_count": requests - good,
            "avg_duration_ms": round(1_000.0 * ratio(seconds, timed)),
        })
    }

    fn a_minute(&self, count: f64) -> f64 {
        let minutes = std::time::Duration::from_secs(self.up_seconds).as_secs_f64() / 60.0;
        ratio(count, minutes)
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
