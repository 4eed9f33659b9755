use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use url::{Host, Url};

use super::budget::EsiBudget;
use super::downtime::Downtime;
use super::events::DowntimeChanged;
use super::killmail::UnderWay;
use super::operation::Operation;
use super::shared_get::SharedGets;
use super::universe::Shelves;
use crate::upstream::http::{Budget, Error, HttpClient, Pace, Result};

/// Killmails that may follow each other at once.
const KILLMAIL_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// Requests under way at the same time: at 10 a second, enough for answers that take most of a second.
const IN_FLIGHT: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);

/// How fast ESI is asked: periods between two requests, on average. None is shorter than a millisecond.
#[derive(Clone, Copy, Debug)]
pub struct EsiPace {
    /// All routes together.
    pub all: Duration,
    /// Batches of names.
    pub names: Duration,
    /// Killmails; ten may follow each other at once.
    pub killmails: Duration,
}

impl Default for EsiPace {
    /// 10 requests a second, among them 5 batches of names and 1.5 killmails of the 2 that their group grants.
    fn default() -> Self {
        Self {
            all: Duration::from_millis(100),
            names: Duration::from_millis(200),
            killmails: Duration::from_millis(667),
        }
    }
}

/// Asks ESI. Cheap to clone; clones share budgets, the downtime and requests that are the same.
#[derive(Debug, Clone)]
pub struct EsiClient {
    pub(super) http: HttpClient,
    pub(super) budget: Arc<EsiBudget>,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) gets: SharedGets,
    pub(super) killmails: UnderWay,
    pub(super) shelves: Shelves,
    base: Url,
    names_pace: Pace,
    killmail_pace: Pace,
    downtime: Arc<Mutex<Downtime>>,
}

impl EsiClient {
    /// A client of the server at `base`, at the default pace.
    pub fn new(http: HttpClient, base: Url) -> Self {
        Self::with_pace(http, base, EsiPace::default())
    }

    /// A client of the server at `base`. A server on loopback stands in for ESI and has no daily downtime.
    pub fn with_pace(http: HttpClient, base: Url, pace: EsiPace) -> Self {
        http.set_budget(
            &base,
            "esi",
            Budget {
                period: pace.all,
                in_flight: IN_FLIGHT,
                ..Budget::DEFAULT
            },
        );
        let clock = http.clock().clone();
        let in_flight = usize::try_from(IN_FLIGHT.get()).unwrap_or(1);
        let daily = !is_loopback(&base);
        Self {
            names_pace: Pace::new(pace.names, NonZeroU32::MIN, clock.clone()),
            killmail_pace: Pace::new(pace.killmails, KILLMAIL_BURST, clock),
            http,
            base,
            budget: Arc::default(),
            in_flight: Arc::new(Semaphore::new(in_flight)),
            gets: SharedGets::new(),
            killmails: UnderWay::new(),
            shelves: Shelves::new(),
            downtime: Arc::new(Mutex::new(Downtime::new(daily))),
        }
    }

    /// The same client with the daily downtime, wherever its server is. Forgets what is known of it.
    #[must_use]
    pub fn with_daily_downtime(mut self) -> Self {
        self.downtime = Arc::new(Mutex::new(Downtime::new(true)));
        self
    }

    /// The URL of a route below the base.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        self.base.join(path).map_err(|error| Error::Unreadable {
            at: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// How long the whole server is left alone after failures.
    pub(super) fn left_alone_for(&self) -> Option<Duration> {
        self.http.left_alone_for(&self.base)
    }

    /// Waits for the turn that some routes have of their own.
    pub(super) async fn turn(&self, operation: Operation) {
        if operation == Operation::Killmail {
            self.killmail_pace.acquire().await;
        } else if operation == Operation::Names {
            self.names_pace.acquire().await;
        }
    }

    /// Looks at the downtime, and tells where that changed it.
    pub(super) fn downtime<T>(&self, look: impl FnOnce(&mut Downtime) -> T) -> T {
        let mut downtime = self.downtime.lock().unwrap_or_else(PoisonError::into_inner);
        let before = downtime.cause();
        let seen = look(&mut downtime);
        let cause = downtime.cause();
        drop(downtime);
        if before.is_some() != cause.is_some() {
            DowntimeChanged { cause }.emit();
        }
        seen
    }
}

fn is_loopback(base: &Url) -> bool {
    match base.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
