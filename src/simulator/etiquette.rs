//! R2Z2's house rules, and who broke them.

use std::collections::VecDeque;
use std::time::Duration;

/// What R2Z2 expects of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Etiquette {
    /// Requests at the same time.
    pub max_in_flight: usize,
    /// Pause after a 404, before the next request of any kind.
    pub pause_after_404: Duration,
    /// Requests within any second.
    pub max_per_second: usize,
}

impl Default for Etiquette {
    /// One at a time, 6 s after a 404, 15 a second.
    fn default() -> Self {
        Self {
            max_in_flight: 1,
            pause_after_404: Duration::from_secs(6),
            max_per_second: 15,
        }
    }
}

/// One breach of the rules.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The rule's name: `in_flight`, `pause_after_404` or `per_second`.
    pub rule: &'static str,
    /// The request that broke it.
    pub path: String,
    /// What was counted or measured, in words.
    pub found: String,
}

/// How many violations are kept; more tell nothing new.
const KEPT: usize = 1_000;

/// Watches the requests to R2Z2.
#[derive(Debug)]
pub(crate) struct Watch {
    rules: Etiquette,
    in_flight: usize,
    last_404: Option<Duration>,
    recent: VecDeque<Duration>,
    violations: VecDeque<Violation>,
}

impl Watch {
    pub(crate) fn new(rules: Etiquette) -> Self {
        Self {
            rules,
            in_flight: 0,
            last_404: None,
            recent: VecDeque::new(),
            violations: VecDeque::new(),
        }
    }

    /// A request came, at `now` on the monotonic clock.
    pub(crate) fn begin(&mut self, path: &str, now: Duration) {
        self.in_flight += 1;
        if self.in_flight > self.rules.max_in_flight {
            let found = format!("{} at the same time", self.in_flight);
            self.note("in_flight", path, found);
        }
        if let Some(last) = self.last_404.take() {
            let paused = now.saturating_sub(last);
            if paused < self.rules.pause_after_404 {
                self.note("pause_after_404", path, format!("after {paused:?}"));
            }
        }
        let second = Duration::from_secs(1);
        while self
            .recent
            .front()
            .is_some_and(|it| now.saturating_sub(*it) >= second)
        {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        if self.recent.len() > self.rules.max_per_second {
            let found = format!("{} within a second", self.recent.len());
            self.note("per_second", path, found);
        }
    }

    /// The request was answered, or its client went away.
    pub(crate) fn end(&mut self, status: Option<u16>, now: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if status == Some(404) {
            self.last_404 = Some(now);
        }
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations.iter().cloned().collect()
    }

    fn note(&mut self, rule: &'static str, path: &str, found: String) {
        if self.violations.len() == KEPT {
            self.violations.pop_front();
        }
        self.violations.push_back(Violation {
            rule,
            path: path.to_owned(),
            found,
        });
    }
}
