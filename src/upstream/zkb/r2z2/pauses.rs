use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::limits::PolicyLimits;
use super::step::Alert;
use crate::upstream::http::Retry;

/// Share of a pause that jitter may add, so that many installations don't ask in step.
const JITTER: f64 = 0.2;
/// Doublings after which a pause is at its longest in any case.
const MOST_DOUBLINGS: u32 = 16;

/// The pause before the next request, and what makes it longer.
#[derive(Debug)]
pub(super) struct Pauses {
    limits: PolicyLimits,
    wait: Duration,
    /// Failures in a row.
    failures: u32,
    /// 429s in a row.
    limited: u32,
    random: SmallRng,
}

impl Pauses {
    pub(super) fn new(limits: PolicyLimits, seed: u64) -> Self {
        Self {
            limits,
            wait: Duration::ZERO,
            failures: 0,
            limited: 0,
            random: SmallRng::seed_from_u64(seed),
        }
    }

    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// The server gave something: on at the usual pace.
    pub(super) fn after_document(&mut self) {
        self.settle();
        self.wait = self.limits.interval;
    }

    /// A 404.
    pub(super) fn after_missing(&mut self) {
        self.settle();
        self.wait = self.jittered(self.limits.idle);
    }

    /// No answer, one that can't be read, or one that says to come back.
    pub(super) fn after_failure(&mut self, retry: Retry) -> Option<Alert> {
        match retry {
            Retry::Transient | Retry::Permanent => {
                let pause = doubled(PolicyLimits::FIRST_FAILURE_PAUSE, self.failures)
                    .min(PolicyLimits::LONGEST_FAILURE_PAUSE);
                self.failures = self.failures.saturating_add(1);
                self.wait = self.jittered(pause);
                None
            }
            Retry::RateLimited(asked) => {
                let pause = doubled(PolicyLimits::FIRST_LIMITED_PAUSE, self.limited)
                    .min(PolicyLimits::LONGEST_LIMITED_PAUSE);
                self.limited = self.limited.saturating_add(1);
                self.wait = self.jittered(asked.unwrap_or(pause).max(self.limits.interval));
                None
            }
            Retry::Banned(pause) => {
                self.wait = self.jittered(pause);
                Some(Alert::Banned(self.wait))
            }
        }
    }

    fn settle(&mut self) {
        self.failures = 0;
        self.limited = 0;
    }

    fn jittered(&mut self, pause: Duration) -> Duration {
        pause.mul_f64(1.0 + self.random.random_range(0.0..JITTER))
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.min(MOST_DOUBLINGS))
}
