//! The shape of the health report, as a schema.

#![expect(dead_code, reason = "shapes of the document alone")]

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// Whether this process can do its work.
#[derive(ToSchema)]
pub(super) struct Health {
    /// Whether it can.
    pub(super) healthy: bool,
    /// In one word. `degraded`: it can, but the feed is behind the log.
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
    /// It works, but the feed is behind the log.
    Degraded,
    /// It does not work.
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
    /// False where this process follows the live source and leaves it alone for a while.
    pub(super) healthy: bool,
    /// Why it is left alone: `breaker_open` (it kept failing) or `banned` (it refuses this address).
    #[schema(required = true)]
    pub(super) reason: Option<String>,
    /// When it is asked again.
    #[schema(required = true)]
    pub(super) until: Option<DateTime<Utc>>,
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
