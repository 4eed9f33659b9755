//! Webhooks: readers of the feed that POST. One process of all on a database delivers, the others stand by.
//!
//! ```text
//! become deliverer ─► manager ─► one worker a subscription: reader ─► batch ─► messages ─► POST
//!       ▲                │                                                                  │
//!       │                └─► queued tests and redeliveries          journal and cursor ◄────┘
//!       └─ back-off ◄── (lock lost, database away)                  (one transaction)
//! ```
//!
//! Each subscription gets its events in order and at least once; a message keeps its `webhook-id` over all
//! attempts. A receiver that fails is tried again on a ladder of pauses and then paused with the reason.

mod batch;
mod discord;
mod events;
mod message;
mod requests;
mod sender;
mod targets;
mod term;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use discord::is_discord;
pub use targets::{TargetError, Targets};

use super::Feed;
use crate::runtime::clock::SharedClock;
use crate::runtime::supervisor::TaskResult;
use crate::runtime::terms;
use crate::store::Store;
use crate::upstream::http::{self, GuardedClient, HttpSettings, LookUp, SystemLookUp};

/// Messages under way to receivers that answer quickly.
const PROMPT_IN_FLIGHT: usize = 64;
/// Messages under way to receivers that failed, dawdled or are new: however many of those there are, they
/// don't take the others' places.
const SLOW_IN_FLIGHT: usize = 32;

/// How deliveries go; tests shorten the waits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a batch waits for more events after its first.
    pub linger: Duration,
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// Pauses after failures; the attempt after the last one is the last.
    pub ladder: Vec<Duration>,
    /// How often changes of subscriptions and queued messages are looked for.
    pub look: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            ladder: vec![
                Duration::from_mins(1),
                Duration::from_mins(5),
                Duration::from_mins(15),
                Duration::from_hours(1),
                Duration::from_hours(6),
            ],
            look: Duration::from_secs(1),
        }
    }
}

/// What deliveries need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebhookDeps {
    store: Store,
    feed: Feed,
    clock: SharedClock,
    client: GuardedClient,
    settings: Arc<Settings>,
    prompt: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    /// One message at a time to each subscription; entries go when nobody holds them.
    turns: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl WebhookDeps {
    /// Deliveries over the machine's resolver; `allow` are networks beside the public ones.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(
        store: Store,
        feed: Feed,
        clock: SharedClock,
        allow: &[IpNet],
        http: &HttpSettings,
    ) -> http::Result<Self> {
        let look_up = Arc::new(SystemLookUp);
        Self::with_look_up(store, feed, clock, allow, http, look_up)
    }

    /// As [`WebhookDeps::new`], with names looked up elsewhere.
    ///
    /// # Errors
    /// As [`WebhookDeps::new`].
    pub fn with_look_up(
        store: Store,
        feed: Feed,
        clock: SharedClock,
        allow: &[IpNet],
        http: &HttpSettings,
        look_up: Arc<dyn LookUp>,
    ) -> http::Result<Self> {
        let targets = Targets::new(allow);
        let client = GuardedClient::new(
            http,
            look_up,
            Arc::new(move |address| targets.allows(address)),
        )?;
        Ok(Self {
            store,
            feed,
            clock,
            client,
            settings: Arc::default(),
            prompt: Arc::new(Semaphore::new(PROMPT_IN_FLIGHT)),
            slow: Arc::new(Semaphore::new(SLOW_IN_FLIGHT)),
            turns: Arc::default(),
        })
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = Arc::new(settings);
        self
    }

    /// The turn of a subscription.
    fn turn(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(id.to_owned()).or_default())
    }

    /// Forgets turns that nobody waits for.
    fn forget_turns(&self) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
    }
}

/// Delivers until `token` is cancelled. Retry: everything, with growing pauses. Messages under way at the end
/// are given their time-out to be answered.
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(deps: WebhookDeps, token: CancellationToken) -> TaskResult {
    let clock = Arc::clone(&deps.clock);
    let state = (deps, token.clone());
    terms::serve("webhooks", &clock, &token, state, |(deps, token)| {
        Box::pin(term::serve(deps, token))
    })
    .await;
    Ok(())
}
