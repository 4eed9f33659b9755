use std::fmt;
use std::time::Duration;

use failsafe::FailurePolicy;
use failsafe::backoff::{Exponential, exponential};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};

/// Failures in a row that open the breaker: one restart behind a load balancer gives two or three.
const FAILURES: u32 = 5;
/// The first pause after the breaker opens.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause: an outage of hours costs a request a minute.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// One host's circuit breaker: failsafe's policy decides when and for how long, our own clock counts.
pub(super) struct Breaker {
    policy: ConsecutiveFailures<Exponential>,
    open_until: Option<Duration>,
}

impl fmt::Debug for Breaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Breaker")
            .field("open_until", &self.open_until)
            .finish_non_exhaustive()
    }
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self {
            policy: consecutive_failures(FAILURES, exponential(FIRST_PAUSE, LONGEST_PAUSE)),
            open_until: None,
        }
    }

    /// How much longer the host is left alone; `None` lets a request through.
    pub(super) fn remaining(&self, now: Duration) -> Option<Duration> {
        self.open_until
            .and_then(|until| until.checked_sub(now))
            .filter(|wait| !wait.is_zero())
    }

    /// How much longer the host is left alone, zero where the next request decides; `None` where the breaker is
    /// closed.
    pub(super) fn open(&self, now: Duration) -> Option<Duration> {
        self.open_until.map(|until| until.saturating_sub(now))
    }

    /// The host answered. True when this closed an open breaker.
    pub(super) fn succeeded(&mut self) -> bool {
        self.policy.record_success();
        let was_open = self.open_until.take().is_some();
        if was_open {
            self.policy.revived();
        }
        was_open
    }

    /// The host failed. Returns the pause when this opened the breaker.
    pub(super) fn failed(&mut self, now: Duration) -> Option<Duration> {
        let pause = self.policy.mark_dead_on_failure()?;
        self.open_until = Some(now + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_longer_each_time() {
        let mut breaker = Breaker::new();
        let start = Duration::from_secs(100);
        for _ in 1..FAILURES {
            assert_eq!(breaker.failed(start), None);
        }
        let first = breaker.failed(start).unwrap();
        assert_eq!(breaker.remaining(start), Some(first));
        assert_eq!(breaker.remaining(start + first), None);

        assert_eq!(breaker.open(start + first), Some(Duration::ZERO));
        let second = breaker.failed(start + first).unwrap();
        assert!(second > first);
        assert!(breaker.succeeded());
        assert_eq!(breaker.open(start + first), None);
        assert_eq!(breaker.remaining(start + first), None);
        assert_eq!(breaker.failed(start + first), None);
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let mut breaker = Breaker::new();
        for _ in 0..20 {
            for _ in 1..FAILURES {
                assert_eq!(breaker.failed(Duration::ZERO), None);
            }
            assert!(!breaker.succeeded());
        }
    }
}
