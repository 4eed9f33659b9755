//! Each metric's name, kind, labels and help.

use super::description::{counter, gauge, histogram};
use super::{Description, Metric};

impl Metric {
    /// Name, kind, labels and help.
    #[expect(clippy::too_many_lines, reason = "a table: one row per metric")]
    pub fn description(self) -> Description {
        match self {
            Self::KillmailsCommitted => counter(
                "wanderer_kills_killmails_committed_total",
                &["source", "outcome"],
                "Killmails committed, by `source` and `outcome` (`new`, `updated`, `unchanged`, `conflict`).",
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
            Self::PublicationLagSeconds => histogram(
                "wanderer_kills_publication_lag_seconds",
                &["source"],
                "Seconds from the publication of a document by its source until it was here.",
            ),
            Self::IngestLeader => gauge(
                "wanderer_kills_ingest_leader",
                &[],
                "1 while this process runs the live source, else 0.",
            ),
            Self::SourceLag => gauge(
                "wanderer_kills_source_lag_documents",
                &["source"],
                "Documents that a source was ahead of us when it last told its newest number.",
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
            Self::DeadLettersStored => gauge(
                "wanderer_kills_dead_letters_stored",
                &[],
                "Dead letters in the database, counted up to 1000.",
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
            Self::ReferenceDataRows => gauge(
                "wanderer_kills_reference_data_rows",
                &["subject"],
                "Rows of the last load of reference data, by `subject` (`ship_types`, `solar_systems`, `names`).",
            ),
            Self::ReferenceDataChecks => counter(
                "wanderer_kills_reference_data_checks_total",
                &["outcome"],
                "Checks for newer reference data, by `outcome` (`loaded`, `unchanged`, `refused`, `failed`).",
            ),
            Self::UpkeepLeader => gauge(
                "wanderer_kills_upkeep_leader",
                &[],
                "1 while this process completes what is stored, else 0.",
            ),
            Self::DocumentsCompleted => counter(
                "wanderer_kills_documents_completed_total",
                &[],
                "Stored documents that lack nothing any more.",
            ),
            Self::DocumentsPending => gauge(
                "wanderer_kills_documents_pending",
                &[],
                "Stored documents that still lack names, types or places.",
            ),
            Self::SweepSeconds => histogram(
                "wanderer_kills_sweep_seconds",
                &[],
                "Seconds that one walk through all pending documents took.",
            ),
            Self::ValuesAsked => counter(
                "wanderer_kills_values_asked_total",
                &["outcome"],
                "Killmails whose values zKillboard was asked for, by `outcome` (`found`, `none`, `failed`).",
            ),
            Self::CacheEntries => gauge(
                "wanderer_kills_cache_entries",
                &["cache"],
                "Entries of a memory cache.",
            ),
            Self::CacheBytes => gauge(
                "wanderer_kills_cache_bytes",
                &["cache"],
                "Bytes of a memory cache, as its limit counts them.",
            ),
            Self::EnrichSeconds => histogram(
                "wanderer_kills_enrich_seconds",
                &[],
                "Seconds that a batch of killmails spent with the enricher.",
            ),
            Self::KillmailsEnriched => counter(
                "wanderer_kills_killmails_enriched_total",
                &["outcome"],
                "Killmails that left the enricher, by `outcome` (`complete`, `pending`).",
            ),
            Self::BackfillDays => counter(
                "wanderer_kills_backfill_days_total",
                &["source", "outcome"],
                "Days of history that a backfill has looked at, by `source` and `outcome` (`filled`, `unchanged`, `absent`, `failed`).",
            ),
            Self::BackfillDocuments => counter(
                "wanderer_kills_backfill_documents_total",
                &["source"],
                "Documents of days of history that were read.",
            ),
            Self::StatisticsDaysMarked => gauge(
                "wanderer_kills_statistics_days_marked",
                &[],
                "Days whose statistics are not made yet, so that whoever asks counts them.",
            ),
            Self::StatisticsDaySeconds => histogram(
                "wanderer_kills_statistics_day_seconds",
                &[],
                "Seconds that making the statistics of a day took.",
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
            Self::RingFloor => gauge(
                "wanderer_kills_ring_floor",
                &[],
                "Oldest cursor that is served from memory.",
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
            Self::ReaderLagEvents => histogram(
                "wanderer_kills_reader_lag_events",
                &[],
                "Events between a reader's place and the feed's head, when it was given some.",
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
            Self::EsiBudgetRemaining => gauge(
                "wanderer_kills_esi_budget_remaining",
                &["group"],
                "Tokens that ESI last said are left, by the route (`group`) that was told.",
            ),
            Self::EsiErrorsRemaining => gauge(
                "wanderer_kills_esi_errors_remaining",
                &[],
                "Errors that ESI last said are left of its legacy limit.",
            ),
            Self::EsiDowntime => gauge(
                "wanderer_kills_esi_downtime",
                &[],
                "1 while ESI is left alone because of its downtime or maintenance, else 0.",
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
            Self::HttpConnections => {
                gauge("wanderer_kills_http_connections", &[], "Open connections.")
            }
            Self::HttpRefused => counter(
                "wanderer_kills_http_refused_total",
                &["reason"],
                "Clients that were turned away by a limit, by `reason` (`requests`, `connections`, `streams`, `head_timeout`).",
            ),
            Self::WebsocketConnections => gauge(
                "wanderer_kills_websocket_connections",
                &["protocol"],
                "Open websockets, by `protocol` (`json`, `phoenix`).",
            ),
            Self::SseConnections => {
                gauge("wanderer_kills_sse_connections", &[], "Open event streams.")
            }
            Self::StreamKillmails => counter(
                "wanderer_kills_stream_killmails_total",
                &["protocol"],
                "Killmails pushed to clients of streams, by `protocol` (`json`, `phoenix`, `sse`).",
            ),
            Self::SendLagSeconds => histogram(
                "wanderer_kills_send_lag_seconds",
                &["protocol"],
                "Seconds from the commit of a killmail until it was on its way to the client of a stream, by `protocol` (`json`, `phoenix`, `sse`).",
            ),
            Self::SlowClientsClosed => counter(
                "wanderer_kills_slow_clients_closed_total",
                &["protocol"],
                "Clients that were disconnected because they did not read.",
            ),
            Self::WebhookDeliveries => counter(
                "wanderer_kills_webhook_deliveries_total",
                &["outcome"],
                "Messages to webhooks, by `outcome` (`delivered`, `failed`).",
            ),
            Self::WebhookDeliverySeconds => histogram(
                "wanderer_kills_webhook_delivery_seconds",
                &[],
                "Seconds until a webhook had answered.",
            ),
            Self::WebhooksPaused => counter(
                "wanderer_kills_webhooks_paused_total",
                &[],
                "Webhooks that were paused after failures.",
            ),
            Self::Webhooks => gauge(
                "wanderer_kills_webhooks",
                &["state"],
                "Webhooks, by `state` (`active`, `retrying`, `paused`).",
            ),
            Self::WebhookLeader => gauge(
                "wanderer_kills_webhook_leader",
                &[],
                "1 while this process delivers to webhooks, else 0.",
            ),
            Self::PreloadLeader => gauge(
                "wanderer_kills_preload_leader",
                &[],
                "1 while this process reads the past that is wanted, else 0.",
            ),
            Self::HistoryWishesOpen => gauge(
                "wanderer_kills_history_wishes_open",
                &[],
                "Entities whose past is wanted and not yet read.",
            ),
            Self::HistoryPages => counter(
                "wanderer_kills_history_pages_total",
                &["outcome"],
                "Pages of somebody's past that zKillboard was asked for, by `outcome` (`read`, `failed`).",
            ),
            Self::HistoryKillmails => counter(
                "wanderer_kills_history_killmails_total",
                &[],
                "Killmails that such pages brought and that were not stored.",
            ),
            Self::ReconcileLeader => gauge(
                "wanderer_kills_reconcile_leader",
                &[],
                "1 while this process holds days against what others count, else 0.",
            ),
            Self::ReconcileRuns => counter(
                "wanderer_kills_reconcile_runs_total",
                &["outcome"],
                "Runs that held days against what others count, by `outcome` (`done`, `failed`).",
            ),
            Self::DaysLacking => gauge(
                "wanderer_kills_days_lacking",
                &[],
                "Days of the last such run of which something obtainable is not stored.",
            ),
            Self::GapsClosed => counter(
                "wanderer_kills_gaps_closed_total",
                &["closing"],
                "Missing upstream sequence numbers that history closed, by `closing` (`history_read`, `history_unavailable`).",
            ),
            Self::KillmailsExpired => counter(
                "wanderer_kills_killmails_expired_total",
                &[],
                "Killmails deleted one by one because they are no longer kept.",
            ),
            Self::YearsDropped => counter(
                "wanderer_kills_years_dropped_total",
                &[],
                "Years dropped because they are no longer kept.",
            ),
            Self::DatabaseConnections => gauge(
                "wanderer_kills_database_connections",
                &["pool", "state"],
                "Connections to the database, by `pool` (`primary`, `read`, `history`, `replica_read`, `replica_history`) and `state` (`used`, `idle`).",
            ),
            Self::DatabaseConnectionsMax => gauge(
                "wanderer_kills_database_connections_max",
                &["pool"],
                "Most connections to the database, by `pool`.",
            ),
            Self::ReplicaInUse => gauge(
                "wanderer_kills_replica_in_use",
                &[],
                "1 while historical queries go to the read replica, 0 while they go to the primary instead.",
            ),
            Self::DiskFreeBytes => gauge(
                "wanderer_kills_disk_free_bytes",
                &[],
                "Free bytes on the private database's disk.",
            ),
            Self::BuildInfo => gauge(
                "wanderer_kills_build_info",
                &["version"],
                "1, with the `version` of the program.",
            ),
            Self::ProcessResidentMemory => gauge(
                "process_resident_memory_bytes",
                &[],
                "Memory that the process occupies.",
            ),
            Self::ProcessOpenFiles => gauge(
                "process_open_fds",
                &[],
                "Open file descriptors of the process.",
            ),
            Self::ProcessMaxFiles => gauge(
                "process_max_fds",
                &[],
                "Most file descriptors that the process may open.",
            ),
            Self::ProcessStartTime => gauge(
                "process_start_time_seconds",
                &[],
                "When the process started, in seconds since 1970.",
            ),
        }
    }
}
