//! How the feed does, for health checks and metrics.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::FeedSequence;

/// The feed of one process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The newest event this process has seen; 0 when there was none ever.
    pub head: FeedSequence,
    /// The oldest cursor that can be served, as last seen.
    pub floor: FeedSequence,
    /// Events in memory.
    pub ring_events: usize,
    /// Bytes they are counted with.
    pub ring_bytes: usize,
    /// Readers that exist now.
    pub readers: usize,
    /// Whether notifications arrive; without them the log is looked at by timer alone.
    pub listening: bool,
    /// When the log was last read without an error.
    pub last_look: Option<DateTime<Utc>>,
    /// It is looked at least this often while the database answers.
    pub look_every: Duration,
}
