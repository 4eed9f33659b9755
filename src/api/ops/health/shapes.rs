//! The shape of the health report, as a schema.

#![expect(dead_code, reason = "shapes of the document alone")]

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// Whether this process can do its work.
#[derive(ToSchema)]
pub(super) struct Health {
    /// Whether it can.
    pub(super) healthy: bool,
    /// In one word.
    pub(super) status: HealthStatus,
    /// Part by part.
    pub(super) details: HealthDetails,
    /// When this was answered.
    pub(super) timestamp: DateTime<Utc>,
}

/// The health in one word.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HealthStatus {
    /// All is well.
    Ok,
    /// It works, but not as it should.
    Degraded,
    /// A restart or an operator has to mend it.
    Error,
}

/// The health part by part.
#[derive(ToSchema)]
pub(super) struct HealthDetails {
    /// The database.
    pub(super) database: HealthDatabase,
    /// The feed of this process.
    pub(super) feed: HealthFeed,
    /// The sources; null while the database does not answer.
    #[schema(required = true)]
    pub(super) ingest: Option<HealthIngest>,
    /// Names, types and places; null while the database does not answer.
    #[schema(required = true)]
    pub(super) enrichment: Option<HealthEnrichment>,
    /// Webhooks; null while the database does not answer.
    #[schema(required = true)]
    pub(super) webhooks: Option<HealthWebhooks>,
    /// The replica that queries go to; null where there is none.
    #[schema(required = true)]
    pub(super) replica: Option<HealthReplica>,
    /// The disk under the private database; null where the database is elsewhere.
    #[schema(required = true)]
    pub(super) disk: Option<HealthDisk>,
}

/// The database.
#[derive(ToSchema)]
pub(super) struct HealthDatabase {
    /// Whether it answers.
    pub(super) healthy: bool,
}

/// The feed of this process.
#[derive(ToSchema)]
pub(super) struct HealthFeed {
    /// Whether it looks at the log and keeps up.
    pub(super) healthy: bool,
    /// The newest event it knows.
    pub(super) head: i64,
    /// The oldest cursor that can be served.
    pub(super) floor: i64,
    /// How many events it is behind the log; null while the database does not answer.
    #[schema(required = true)]
    pub(super) lag_events: Option<i64>,
    /// Whether the database tells it of new events.
    pub(super) listening: bool,
    /// Readers: streams, polls and webhooks.
    pub(super) readers: u64,
    /// When it last looked at the log.
    #[schema(required = true)]
    pub(super) last_look: Option<DateTime<Utc>>,
}

/// What comes in.
#[derive(ToSchema)]
pub(super) struct HealthIngest {
    /// False where `reason` says what is wrong.
    pub(super) healthy: bool,
    /// What is wrong: `breaker_open` (the source kept failing and is left alone), `banned` (it refuses this address),
    /// `no_answer` (this process has long asked it nothing), or `stale` (it has long had nothing new).
    #[schema(required = true)]
    pub(super) reason: Option<String>,
    /// When it is asked again.
    #[schema(required = true)]
    pub(super) until: Option<DateTime<Utc>>,
    /// The live source that is followed; null where none is.
    #[schema(required = true)]
    pub(super) source: Option<String>,
    /// Whether it is this process that follows it.
    pub(super) follows: bool,
    /// The sources with their positions.
    pub(super) sources: Vec<HealthSource>,
    /// Time of the newest killmail.
    #[schema(required = true)]
    pub(super) newest_killmail: Option<DateTime<Utc>>,
    /// Killmails that could not be read; counted up to a limit.
    pub(super) dead_letters: i64,
}

/// A source with its position.
#[derive(ToSchema)]
pub(super) struct HealthSource {
    /// Its name.
    pub(super) source: String,
    /// Where it stands, in its own numbers; null before it has read anything.
    #[schema(required = true)]
    pub(super) position: Option<i64>,
    /// When it last moved.
    pub(super) updated_at: DateTime<Utc>,
    /// Seconds since then.
    pub(super) age_seconds: i64,
    /// Holes in its numbers that are still looked at; counted up to a limit.
    pub(super) open_gaps: i64,
}

/// Names, types and places.
#[derive(ToSchema)]
pub(super) struct HealthEnrichment {
    /// False where `reason` says what is wrong.
    pub(super) healthy: bool,
    /// What is wrong: `no_reference_data` (ship types or systems are not loaded) or `esi_unavailable` (names can't be
    /// asked for, and it is not the daily downtime).
    #[schema(required = true)]
    pub(super) reason: Option<String>,
    /// Whether ESI can be asked for names now; null where it never is.
    #[schema(required = true)]
    pub(super) asks_esi: Option<bool>,
    /// Documents that still lack names, types or places; counted up to a limit.
    pub(super) pending_documents: i64,
}

/// Webhooks by state.
#[derive(ToSchema)]
pub(super) struct HealthWebhooks {
    /// Whether those that do not fail keep up.
    pub(super) healthy: bool,
    /// Delivered to.
    pub(super) active: i64,
    /// Failed lately, and tried again later.
    pub(super) retrying: i64,
    /// Paused, by their owners or after failures.
    pub(super) paused: i64,
    /// How many events the active one that is furthest back is behind the log.
    pub(super) lag_events: i64,
}

/// The replica that queries go to.
#[derive(ToSchema)]
pub(super) struct HealthReplica {
    /// False while queries go to the primary instead: the replica does not answer, or is too far behind.
    pub(super) healthy: bool,
    /// The newest event of the feed that it is known to hold; null while it is not read from.
    #[schema(required = true)]
    pub(super) head: Option<i64>,
}

/// The disk under the private database.
#[derive(ToSchema)]
pub(super) struct HealthDisk {
    /// Whether there is room.
    pub(super) healthy: bool,
    /// Bytes that can still be written.
    pub(super) free_bytes: u64,
    /// Bytes in all.
    pub(super) total_bytes: u64,
}

/// That the process lives.
#[derive(ToSchema)]
pub(super) struct Liveness {
    /// Always true.
    pub(super) live: bool,
}

/// Whether requests should come here.
#[derive(ToSchema)]
pub(super) struct Readiness {
    /// Whether they should.
    pub(super) ready: bool,
    /// All must be true for that.
    pub(super) checks: ReadinessChecks,
}

/// What readiness takes.
#[derive(ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a check of its own")]
pub(super) struct ReadinessChecks {
    /// The database answers.
    pub(super) database: bool,
    /// It is at this program's schema, or at that of a newer one.
    pub(super) migrated: bool,
    /// Connections are taken: the process is not about to stop.
    pub(super) listening: bool,
    /// The feed is near the log's end.
    pub(super) caught_up: bool,
}
