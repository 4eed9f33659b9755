use std::time::Duration;

/// The idle wait that zKillboard asks for; the other waits are given as multiples of the configured one, so
/// that a test or a demo on loopback shrinks them all together.
const REFERENCE_IDLE: Duration = Duration::from_secs(6);

/// How patient the consumer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyLimits {
    /// Pause after a document, ≥ 100 ms against the real server (200 ms: 5 a second of 15 allowed).
    pub interval: Duration,
    /// Pause after a 404 (6 s; a shorter one gets the address banned).
    pub idle: Duration,
    /// 404s last this long at an edge whose purge came late, so only after it is a number suspected (66 s).
    pub stuck: Duration,
    /// Stuck for so long, a `sequence.json` far behind means that our number is nonsense (5 min).
    pub snap_back: Duration,
    /// No new document for so long is worth an alert (10 min; the daily downtime takes about as long).
    pub stale: Duration,
}

impl PolicyLimits {
    /// `sequence.json` is written every 51 numbers, so it lags by so many in good health.
    pub const HEAD_LAG: i64 = 60;
    /// Numbers of about a day: older files are gone.
    pub const LONGEST_LAG: i64 = 15_000;
    /// A saved position older than this starts near the head: files are kept about 24 h.
    pub const OLDEST_CURSOR: Duration = Duration::from_hours(20);
    /// Numbers after a stuck one that are tried before it is passed over.
    pub const PROBES: i64 = 5;
    /// Tries of a document that can't be read: about 4 minutes with the pauses between them.
    pub const UNREADABLE_TRIES: u32 = 10;
    /// First pause after a failure; doubles.
    pub const FIRST_FAILURE_PAUSE: Duration = Duration::from_secs(1);
    /// Longest pause after a failure.
    pub const LONGEST_FAILURE_PAUSE: Duration = Duration::from_mins(1);
    /// First pause after a 429 that doesn't say how long; doubles.
    pub const FIRST_LIMITED_PAUSE: Duration = Duration::from_secs(10);
    /// Longest pause after a 429 that doesn't say how long.
    pub const LONGEST_LIMITED_PAUSE: Duration = Duration::from_secs(30);

    /// The limits for a pause after documents and a pause after 404s.
    pub fn new(interval: Duration, idle: Duration) -> Self {
        Self {
            interval,
            idle,
            stuck: idle.saturating_mul(11),
            snap_back: idle.saturating_mul(50),
            stale: idle.saturating_mul(100),
        }
    }

    /// `duration` shrunk as the idle wait is shrunk against the one zKillboard asks for; never stretched.
    pub fn scaled(&self, duration: Duration) -> Duration {
        if self.idle >= REFERENCE_IDLE {
            return duration;
        }
        duration.mul_f64(self.idle.as_secs_f64() / REFERENCE_IDLE.as_secs_f64())
    }
}
