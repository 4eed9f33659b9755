//! ESI's two limits: tokens of the killmail group, and errors per minute for everything else.

use std::collections::VecDeque;
use std::time::Duration;

use crate::simulator::SimulatorConfig;

/// Whether a request may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes.
    Go,
    /// Out of tokens for so many seconds.
    Spent(u64),
    /// Too many errors this minute.
    ErrorLimited,
}

/// The state of both limits.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: i64,
    window: Duration,
    errors_allowed: u32,
    /// When tokens were spent, and how many.
    spent: VecDeque<(Duration, i64)>,
    used: i64,
    /// The minute that errors are counted in.
    minute: u64,
    errors: u32,
    refusals: usize,
}

/// What a request may cost at most: an error.
const DEAREST: i64 = 5;

impl Budget {
    pub(crate) fn new(config: &SimulatorConfig) -> Self {
        Self {
            tokens: config.esi_tokens,
            window: config.esi_window,
            errors_allowed: config.esi_errors,
            spent: VecDeque::new(),
            used: 0,
            minute: 0,
            errors: 0,
            refusals: 0,
        }
    }

    pub(super) fn admit(&mut self, killmails: bool, now: Duration) -> Verdict {
        self.forget(now);
        if self.errors >= self.errors_allowed {
            self.refusals += 1;
            return Verdict::ErrorLimited;
        }
        if killmails && self.tokens - self.used < DEAREST {
            let oldest = self.spent.front().map_or(now, |(at, _)| *at);
            let wait = (oldest + self.window).saturating_sub(now);
            self.refusals += 1;
            return Verdict::Spent(wait.as_secs() + 1);
        }
        Verdict::Go
    }

    /// Requests that went beyond a limit.
    pub(crate) fn refusals(&self) -> usize {
        self.refusals
    }

    /// Books the answer, and returns the headers that tell the client.
    pub(super) fn charge(
        &mut self,
        killmails: bool,
        status: u16,
        now: Duration,
    ) -> Vec<(&'static str, String)> {
        self.forget(now);
        if killmails {
            let cost = match status {
                200..300 => 2,
                300..400 => 1,
                429 | 500.. => 0,
                _ => DEAREST,
            };
            if cost > 0 {
                self.spent.push_back((now, cost));
                self.used += cost;
            }
            return self.token_headers();
        }
        if !(200..400).contains(&status) {
            self.errors += 1;
        }
        let left = self.errors_allowed.saturating_sub(self.errors);
        vec![
            ("x-esi-error-limit-remain", left.to_string()),
            (
                "x-esi-error-limit-reset",
                (60 - now.as_secs() % 60).to_string(),
            ),
        ]
    }

    fn token_headers(&self) -> Vec<(&'static str, String)> {
        let minutes = self.window.as_secs() / 60;
        vec![
            ("x-ratelimit-group", "killmail".to_owned()),
            ("x-ratelimit-limit", format!("{}/{minutes}m", self.tokens)),
            (
                "x-ratelimit-remaining",
                (self.tokens - self.used).max(0).to_string(),
            ),
            ("x-ratelimit-used", self.used.to_string()),
        ]
    }

    fn forget(&mut self, now: Duration) {
        while let Some((at, cost)) = self.spent.front().copied()
            && now.saturating_sub(at) >= self.window
        {
            self.spent.pop_front();
            self.used -= cost;
        }
        let minute = now.as_secs() / 60;
        if minute != self.minute {
            self.minute = minute;
            self.errors = 0;
        }
    }
}
