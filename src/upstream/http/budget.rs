use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::breaker::Breaker;
use super::error::{host, place};
use crate::runtime::clock::{SharedClock, Ticks};

/// The shortest pause between two requests that can be asked for.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// What one host may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Pause between two requests, on average.
    pub period: Duration,
    /// Requests that may follow each other at once.
    pub burst: NonZeroU32,
    /// Requests under way at the same time.
    pub in_flight: NonZeroU32,
}

impl Budget {
    /// For hosts nobody has set a budget for: 5 requests a second, 4 under way.
    pub const DEFAULT: Self = Self {
        period: Duration::from_millis(200),
        burst: NonZeroU32::MIN.saturating_add(4),
        in_flight: NonZeroU32::MIN.saturating_add(3),
    };

    /// One request at a time, `period` apart.
    pub const fn one_in_flight(period: Duration) -> Self {
        Self {
            period,
            burst: NonZeroU32::MIN,
            in_flight: NonZeroU32::MIN,
        }
    }
}

/// Spaces out whatever waits for it, on the service's clock.
#[derive(Clone)]
pub struct Pace {
    limiter: Arc<RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>>,
    clock: SharedClock,
}

impl fmt::Debug for Pace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pace").finish_non_exhaustive()
    }
}

impl Pace {
    /// `burst` at once, then one each `period` (at least a millisecond).
    pub fn new(period: Duration, burst: NonZeroU32, clock: SharedClock) -> Self {
        let quota = Quota::with_period(period.max(SHORTEST_PERIOD))
            .unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN))
            .allow_burst(burst);
        Self {
            limiter: Arc::new(RateLimiter::direct_with_clock(quota, Ticks(clock.clone()))),
            clock,
        }
    }

    /// Waits for its turn; returns how long that took.
    pub async fn acquire(&self) -> Duration {
        let mut waited = Duration::ZERO;
        while let Err(not_until) = self.limiter.check() {
            let wait = not_until.wait_time_from(self.clock.monotonic());
            waited += wait;
            self.clock.sleep(wait).await;
        }
        waited
    }
}

/// What is kept of one server.
#[derive(Debug)]
pub(super) struct Host {
    /// Its word in metrics.
    pub(super) name: &'static str,
    pub(super) pace: Pace,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) breaker: Mutex<Breaker>,
}

impl Host {
    fn new(name: &'static str, budget: Budget, clock: SharedClock) -> Self {
        let permits = usize::try_from(budget.in_flight.get()).unwrap_or(1);
        Self {
            name,
            pace: Pace::new(budget.period, budget.burst, clock),
            in_flight: Arc::new(Semaphore::new(permits)),
            breaker: Mutex::new(Breaker::new()),
        }
    }

    /// A place among the requests under way; `None` never happens, as the semaphore is never closed.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.in_flight).acquire_owned().await.ok()
    }

    pub(super) fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Servers with a budget, by the beginning of their URLs: several may share a host (the simulator's do).
/// A handful, since they come from configuration.
#[derive(Debug)]
pub(super) struct Hosts {
    clock: SharedClock,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Hosts {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            hosts: Mutex::default(),
        }
    }

    pub(super) fn set(&self, base: &Url, name: &'static str, budget: Budget) {
        let entry = Arc::new(Host::new(name, budget, self.clock.clone()));
        self.lock().insert(place(base), entry);
    }

    /// The server of a URL: the longest base that it begins with, or its host.
    pub(super) fn get(&self, url: &Url) -> Arc<Host> {
        let mut hosts = self.lock();
        if let Some(known) = longest(&hosts, url) {
            return known;
        }
        let entry = Arc::new(Host::new("other", Budget::DEFAULT, self.clock.clone()));
        hosts.insert(format!("{}/", host(url)), Arc::clone(&entry));
        entry
    }

    /// The server of a URL, where there is one already.
    pub(super) fn known(&self, url: &Url) -> Option<Arc<Host>> {
        longest(&self.lock(), url)
    }

    /// True where some budget was set for a server of this host.
    pub(super) fn knows(&self, url: &Url) -> bool {
        let wanted = format!("{}/", host(url));
        self.lock().keys().any(|base| base.starts_with(&wanted))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Host>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server with the longest base that the URL begins with.
fn longest(hosts: &HashMap<String, Arc<Host>>, url: &Url) -> Option<Arc<Host>> {
    let wanted = place(url);
    hosts
        .iter()
        .filter(|(base, _)| wanted.starts_with(base.as_str()))
        .max_by_key(|(base, _)| base.len())
        .map(|(_, host)| Arc::clone(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::{Clock as _, TestClock};

    #[tokio::test]
    async fn requests_are_spaced_by_the_period() {
        let clock = TestClock::at("2026-11-23T12:00:00Z".parse().unwrap());
        let pace = Pace::new(Duration::from_millis(200), NonZeroU32::MIN, clock.clone());
        for _ in 0..11 {
            pace.acquire().await;
        }
        assert!(clock.monotonic() >= Duration::from_secs(2));
        assert!(clock.monotonic() < Duration::from_millis(2100));
    }
}
