//! The tail: one per process, follows the log by LISTEN and by timer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::events::Looked;
use super::hub::Hub;
use super::log::Log;
use super::ring::Ring;
use super::{FeedEvent, Reader, Result, Status, listener, prune};
use crate::domain::{FeedSequence, Filter};
use crate::runtime::clock::SharedClock;
use crate::runtime::config::FeedConfig;
use crate::runtime::supervisor::{Supervisor, TaskResult};
use crate::store::feed::Bounds;
use crate::store::{self, Store};

/// Events read at once; at about 4 kB each some two megabytes.
const PAGE: usize = 500;

/// Shortest pause between two looks by timer, whatever the configuration says.
const SHORTEST_POLL: Duration = Duration::from_millis(10);

/// Longest pause between two looks while the database is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The feed of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    hub: Arc<Hub>,
}

impl Feed {
    /// Starts the tail under `supervisor`. It reads the newest events into the ring first.
    ///
    /// # Errors
    /// When the log can't be read.
    pub async fn start(
        store: Store,
        config: FeedConfig,
        clock: SharedClock,
        supervisor: &Supervisor,
    ) -> Result<Self> {
        let bounds = Log::bounds(&store).await?;
        let hub = warm_hub(Arc::new(store.clone()), &config, bounds);
        let mut tail = Tail::new(Arc::clone(&hub), Arc::clone(&clock));
        tail.look().await?;
        let token = supervisor.token();
        supervisor.spawn(
            "feed-tail",
            tail.run(token.clone(), store.url.clone(), look_every(&config)),
        );
        let keeper = prune::Keeper::new(Arc::clone(&hub), store, clock, config.feed_days);
        supervisor.spawn("feed-prune", keeper.run(token));
        Ok(Self { hub })
    }

    /// A reader after `cursor`; `None` starts at the head, 0 at the oldest event that is kept.
    pub fn reader(&self, cursor: Option<FeedSequence>, filter: Filter) -> Reader {
        Reader::new(Arc::clone(&self.hub), cursor, filter)
    }

    /// A reader after `cursor`, which is a place like any other also where it is 0: when the first event is not
    /// kept any more, that is [`Error::Expired`](super::Error::Expired).
    pub fn reader_behind(&self, cursor: FeedSequence, filter: Filter) -> Reader {
        Reader::behind(Arc::clone(&self.hub), cursor, filter)
    }

    /// The log's ends as this process knows them.
    pub fn bounds(&self) -> Bounds {
        let Status { floor, head, .. } = self.hub.status();
        Bounds { floor, head }
    }

    /// How the feed does.
    pub fn status(&self) -> Status {
        self.hub.status()
    }

    /// Waits until this process has seen the event with this sequence. False when `timeout` runs out or the
    /// service stops first.
    pub async fn wait_for(&self, sequence: FeedSequence, timeout: Duration) -> bool {
        let mut signal = self.hub.watch();
        let seen = signal.wait_for(|signal| signal.closed || signal.head >= sequence);
        match tokio::time::timeout(timeout, seen).await {
            Ok(Ok(signal)) => signal.head >= sequence,
            Ok(Err(_)) | Err(_) => false,
        }
    }
}

/// A hub that starts so far behind the head that the first look fills the ring.
fn warm_hub(log: Arc<dyn Log>, config: &FeedConfig, bounds: Bounds) -> Arc<Hub> {
    let events = config.ring_events.get();
    let behind = i64::try_from(events).unwrap_or(i64::MAX);
    let start = FeedSequence(bounds.head.0.saturating_sub(behind)).max(bounds.floor);
    let bytes = config.ring_mb.get().saturating_mul(1024 * 1024);
    let ring = Ring::new(events, bytes, start);
    Hub::new(log, ring, bounds.floor, look_every(config))
}

fn look_every(config: &FeedConfig) -> Duration {
    config.poll().max(SHORTEST_POLL)
}

/// Reads the log after the ring's head into the ring.
pub(super) struct Tail {
    hub: Arc<Hub>,
    clock: SharedClock,
    /// Monotonic time of the first failure of the present outage.
    failing_since: Option<Duration>,
}

/// Ends the readers' waits however the tail ends.
struct CloseOnDrop(Arc<Hub>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Tail {
    /// A tail that goes on after the hub's head.
    pub(super) fn new(hub: Arc<Hub>, clock: SharedClock) -> Self {
        Self {
            hub,
            clock,
            failing_since: None,
        }
    }

    /// Looks at every notification, reconnection and tick until the token is cancelled. A database that is
    /// away is asked again and again, more slowly.
    async fn run(
        mut self,
        token: CancellationToken,
        url: secrecy::SecretString,
        poll: Duration,
    ) -> TaskResult {
        let _closing = CloseOnDrop(Arc::clone(&self.hub));
        let mut pause = poll;
        let mut wakes = pin!(listener::wakes(url, Arc::clone(&self.hub)));
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                _ = wakes.next() => {}
                () = tokio::time::sleep(pause) => {}
            }
            let outcome = tokio::select! {
                () = token.cancelled() => return Ok(()),
                outcome = self.look() => outcome,
            };
            pause = match outcome {
                Ok(()) => poll,
                Err(_) => pause.saturating_mul(2).min(LONGEST_PAUSE).max(poll),
            };
            self.report(outcome);
        }
    }

    /// Reads everything after the head. Finding nothing, compares the ends.
    pub(super) async fn look(&mut self) -> store::Result<()> {
        let mut committed = None;
        loop {
            let head = self.hub.head();
            let rows = self.hub.log.page(head, PAGE).await?;
            if rows.is_empty() {
                let bounds = self.hub.log.bounds().await?;
                self.settle(head, bounds, committed);
                if bounds.head <= head {
                    break;
                }
                committed = Some(bounds.head);
                continue;
            }
            let more = rows.len() >= PAGE;
            let events = rows
                .into_iter()
                .map(|row| Arc::new(FeedEvent::from(row)))
                .collect();
            self.hub.append(events);
            if !more {
                break;
            }
            committed = None;
        }
        self.hub.looked(self.clock.now());
        Looked {
            status: self.hub.status(),
        }
        .emit();
        Ok(())
    }

    /// Judges an empty page after `head`. A log that ends before it has been set back, by a restored
    /// database say. Events up to `committed`, which were there before the page was read, have lost their
    /// killmails: nobody can be given those.
    fn settle(&self, head: FeedSequence, bounds: Bounds, committed: Option<FeedSequence>) {
        self.hub.set_floor(bounds.floor);
        if bounds.head < head {
            tracing::warn!(
                known = head.0,
                found = bounds.head.0,
                "the feed's log was set back; readers beyond its end are told so"
            );
            self.hub.reset(bounds);
        } else if let Some(committed) = committed.filter(|committed| *committed > head) {
            let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
            let covered = FeedSequence(head.0.saturating_add(page)).min(committed);
            tracing::warn!(
                after = head.0,
                to = covered.0,
                "passing events of the feed whose killmails are gone"
            );
            self.hub.pass(covered);
        }
    }

    /// One line when an outage begins, one when it is over.
    fn report(&mut self, outcome: store::Result<()>) {
        match (outcome, self.failing_since) {
            (Ok(()), Some(since)) => {
                let outage = self.clock.monotonic().saturating_sub(since);
                tracing::info!(
                    seconds = outage.as_secs(),
                    "reading the feed's log works again"
                );
                self.failing_since = None;
            }
            (Err(error), None) => {
                tracing::warn!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "reading the feed's log failed; trying on"
                );
                self.failing_since = Some(self.clock.monotonic());
            }
            (Ok(()), None) | (Err(_), Some(_)) => {}
        }
    }
}
