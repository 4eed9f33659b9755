use std::num::NonZeroUsize;
use std::time::Duration;

use super::RetentionConfig;

/// The pipeline from source to database.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Pipeline")]
pub struct IngestConfig {
    /// Most killmails written in one transaction.
    #[arg(long, env = "WK_BATCH_SIZE", default_value = "500")]
    pub batch_size: NonZeroUsize,
    /// Kills younger than this are announced on the feed when history brings them.
    #[arg(long, env = "WK_ANNOUNCE_HOURS", default_value_t = 24)]
    pub announce_hours: u32,
    /// Milliseconds that a live killmail may wait for names it lacks; then it goes on without them.
    #[arg(long, env = "WK_ENRICH_WAIT_MS", default_value_t = 3000)]
    pub enrich_wait_ms: u64,
    /// Kills younger than this many days get zKillboard's values where their source had none; 0 asks for none.
    #[arg(long, env = "WK_VALUES_DAYS", default_value_t = 7)]
    pub values_days: u32,
    /// How long killmails are kept: what history brings of the time before is not stored.
    #[command(flatten)]
    pub retention: RetentionConfig,
}

impl IngestConfig {
    /// How long a live killmail may wait for names it lacks.
    pub fn enrich_wait(&self) -> Duration {
        Duration::from_millis(self.enrich_wait_ms)
    }
}

/// The feed log and its fan-out.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Feed")]
pub struct FeedConfig {
    /// Days the feed log is kept; an older cursor is told so.
    #[arg(long, env = "WK_FEED_DAYS", default_value_t = 7)]
    pub feed_days: u32,
    /// Most events kept in memory for readers.
    #[arg(long, env = "WK_RING_EVENTS", default_value = "4096")]
    pub ring_events: NonZeroUsize,
    /// Most megabytes of documents kept in memory for readers.
    #[arg(long, env = "WK_RING_MB", default_value = "32")]
    pub ring_mb: NonZeroUsize,
    /// Milliseconds between two looks at the log when no notification comes.
    #[arg(long, env = "WK_FEED_POLL_MS", default_value_t = 1000)]
    pub feed_poll_ms: u64,
}

impl FeedConfig {
    /// Pause between two looks at the log when no notification comes.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.feed_poll_ms)
    }
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            batch_size: super::non_zero(500),
            announce_hours: 24,
            enrich_wait_ms: 3000,
            values_days: 7,
            retention: RetentionConfig::default(),
        }
    }
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            feed_days: 7,
            ring_events: super::non_zero(4096),
            ring_mb: super::non_zero(32),
            feed_poll_ms: 1000,
        }
    }
}
