//! When ESI is not asked at all: the daily downtime, and maintenance at any time. Pure: times come in.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Seconds of the day from which nothing is asked, 10:58 UTC: the servers go down at 11:00, and clocks differ.
const QUIET_FROM: u32 = (10 * 60 + 58) * 60;
/// From then on, 11:05 UTC, `/status` is asked: the shortest downtimes end about now.
const PROBED_FROM: u32 = (11 * 60 + 5) * 60;
/// Who starts later than this, 11:30 UTC, takes the downtime for over until an answer says otherwise.
const PRESUMED_UNTIL: u32 = (11 * 60 + 30) * 60;
/// Between two probes, at first. Longer than a probe may take, so there is one under way.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// How much longer each further pause is.
const PAUSE_GROWTH: Duration = Duration::from_secs(10);
/// Between two probes, at last.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Go.
    Open,
    /// Not now.
    Shut {
        /// How long until someone may probe.
        wait: Duration,
        /// What it is.
        cause: Cause,
    },
    /// Ask `/status`, and tell what came of it. Nobody else is told to until a pause has passed.
    Probe,
}

/// Why ESI is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The downtime of every day.
    Daily,
    /// An answer spoke of maintenance.
    Maintenance,
}

/// The state. `monotonic` is time that never goes back, `now` the time of day.
#[derive(Debug)]
pub(super) struct Downtime {
    daily: bool,
    shut: Option<Shut>,
    /// The day whose downtime is over.
    over: Option<NaiveDate>,
}

#[derive(Debug)]
struct Shut {
    cause: Cause,
    next_probe: Duration,
    pause: Duration,
}

impl Downtime {
    /// Open; `daily` where the server has the downtime of every day.
    pub(super) fn new(daily: bool) -> Self {
        Self {
            daily,
            shut: None,
            over: None,
        }
    }

    /// What a request may do now.
    pub(super) fn gate(&mut self, now: DateTime<Utc>, monotonic: Duration) -> Gate {
        if self.shut.is_none()
            && let Some(wait) = self.until_probes(now)
        {
            self.shut = Some(Shut::new(Cause::Daily, monotonic + wait));
        }
        if let Some(wait) = self.wait(now, monotonic) {
            let cause = self.cause().unwrap_or(Cause::Daily);
            return Gate::Shut { wait, cause };
        }
        match &mut self.shut {
            None => Gate::Open,
            Some(shut) => {
                shut.next_probe = monotonic + shut.pause;
                Gate::Probe
            }
        }
    }

    /// How long nothing may be asked, not even `/status`.
    pub(super) fn wait(&self, now: DateTime<Utc>, monotonic: Duration) -> Option<Duration> {
        let probed = self.shut.as_ref().map_or(Duration::ZERO, |shut| {
            shut.next_probe.saturating_sub(monotonic)
        });
        let quiet = self.until_probes(now).unwrap_or_default();
        Some(probed.max(quiet)).filter(|wait| !wait.is_zero())
    }

    /// An answer spoke of maintenance.
    pub(super) fn maintenance(&mut self, monotonic: Duration) {
        self.shut
            .get_or_insert_with(|| Shut::new(Cause::Maintenance, monotonic + FIRST_PAUSE));
    }

    /// `/status` tells that everyone may play.
    pub(super) fn probe_passed(&mut self, now: DateTime<Utc>) {
        if second_of_day(now) >= PROBED_FROM {
            self.over = Some(now.date_naive());
        }
        self.shut = None;
    }

    /// `/status` did not. `again_after` is how long it can't be asked anyway, where that is known.
    pub(super) fn probe_failed(&mut self, monotonic: Duration, again_after: Option<Duration>) {
        if let Some(shut) = &mut self.shut {
            let pause = again_after.unwrap_or(shut.pause);
            shut.next_probe = shut.next_probe.max(monotonic + pause);
            if again_after.is_none() {
                shut.pause = (shut.pause + PAUSE_GROWTH).min(LONGEST_PAUSE);
            }
        }
    }

    /// Why ESI is taken to be down; `None` while it is not.
    pub(super) fn cause(&self) -> Option<Cause> {
        self.shut.as_ref().map(|shut| shut.cause)
    }

    /// Within the daily downtime that is not known to be over: how long until probes are allowed.
    fn until_probes(&self, now: DateTime<Utc>) -> Option<Duration> {
        if !self.daily || self.over == Some(now.date_naive()) {
            return None;
        }
        match second_of_day(now) {
            QUIET_FROM..PROBED_FROM => {
                let ends = NaiveTime::from_num_seconds_from_midnight_opt(PROBED_FROM, 0)?;
                let wait = ends.signed_duration_since(now.time());
                wait.max(TimeDelta::zero()).to_std().ok()
            }
            PROBED_FROM..PRESUMED_UNTIL => Some(Duration::ZERO),
            _ => None,
        }
    }
}

impl Shut {
    fn new(cause: Cause, next_probe: Duration) -> Self {
        Self {
            cause,
            next_probe,
            pause: FIRST_PAUSE,
        }
    }
}

impl Cause {
    /// For errors and logs.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Daily => "the daily downtime",
            Self::Maintenance => "it is in maintenance",
        }
    }
}

fn second_of_day(now: DateTime<Utc>) -> u32 {
    use chrono::Timelike as _;
    now.num_seconds_from_midnight()
}

#[cfg(test)]
mod tests;
