//! What tail and readers of one process share: ring, index, and the signal that something moved.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, Semaphore, watch};

use super::index::{Index, SubscriptionId};
use super::key::{Key, keys_of_facts};
use super::log::Log;
use super::ring::{Ring, Slice};
use super::{FeedEvent, Status};
use crate::domain::FeedSequence;
use crate::store::feed::Bounds;

/// Readers that read from the database at the same time. Thousands may fall off the ring at once; they take
/// turns instead of taking every connection from the pipeline and from queries.
const DATABASE_READERS: usize = 4;

/// What waiting readers watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signal {
    /// The newest event in the ring.
    pub(super) head: FeedSequence,
    /// Counts how often the log was found set back.
    pub(super) generation: u64,
    /// The tail has ended.
    pub(super) closed: bool,
}

/// Shared by tail and readers.
pub(super) struct Hub {
    /// The log in the database.
    pub(super) log: Arc<dyn Log>,
    /// Turns of the readers that read from the database.
    pub(super) database_turns: Semaphore,
    /// Held while the ring grows, so that who arms a wait sees each event either in the ring or in the index.
    /// Taken before `ring`, never after.
    state: Mutex<State>,
    ring: RwLock<Ring>,
    signal: watch::Sender<Signal>,
    readers: AtomicUsize,
    listening: AtomicBool,
    look_every: Duration,
}

struct State {
    index: Index,
    floor: FeedSequence,
    last_look: Option<DateTime<Utc>>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hub")
            .field("signal", &self.signal())
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub whose tail goes on after the ring's head, and looks at least once in `look_every`.
    pub(super) fn new(
        log: Arc<dyn Log>,
        ring: Ring,
        floor: FeedSequence,
        look_every: Duration,
    ) -> Arc<Self> {
        let head = ring.head();
        let signal = Signal {
            head,
            generation: 0,
            closed: false,
        };
        Arc::new(Self {
            log,
            database_turns: Semaphore::new(DATABASE_READERS),
            state: Mutex::new(State {
                index: Index::new(head),
                floor,
                last_look: None,
            }),
            ring: RwLock::new(ring),
            signal: watch::Sender::new(signal),
            readers: AtomicUsize::new(0),
            listening: AtomicBool::new(false),
            look_every,
        })
    }

    /// Adds events and wakes whom they may concern. Only the tail appends.
    pub(super) fn append(&self, events: Vec<Arc<FeedEvent>>) {
        let keys: Vec<(FeedSequence, HashSet<Key>)> = events
            .iter()
            .map(|event| {
                let keys = event.facts().map(keys_of_facts).unwrap_or_default();
                (event.sequence, keys)
            })
            .collect();
        let mut woken = Vec::new();
        let mut evicted = Vec::new();
        let head = {
            let mut state = self.state();
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                ring.push(event, &mut evicted);
            }
            let head = ring.head();
            drop(ring);
            for (sequence, keys) in &keys {
                state.index.append(*sequence, keys, &mut woken);
            }
            head
        };
        // Waking takes longer than noting; nobody has to wait for it.
        wake(&woken);
        self.signal.send_modify(|signal| signal.head = head);
        drop(evicted);
    }

    /// Goes on after `head` without the events before it, which can't be read.
    pub(super) fn pass(&self, head: FeedSequence) {
        {
            let mut state = self.state();
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.reset(head);
            drop(ring);
            state.index.pass(head);
        }
        self.signal.send_modify(|signal| signal.head = head);
    }

    /// The log was set back: forgets what is in memory and goes on from the log's ends.
    pub(super) fn reset(&self, bounds: Bounds) {
        let woken = {
            let mut state = self.state();
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.reset(bounds.head);
            drop(ring);
            state.floor = bounds.floor;
            state.index.reset(bounds.head)
        };
        self.signal.send_modify(|signal| {
            signal.head = bounds.head;
            signal.generation += 1;
        });
        wake(&woken);
    }

    /// Ends all waits with [`Error::Closed`](super::Error::Closed).
    pub(super) fn close(&self) {
        self.signal.send_modify(|signal| signal.closed = true);
        let woken = self.state().index.everyone();
        wake(&woken);
    }

    /// Up to `limit` events after a cursor, from memory.
    pub(super) fn slice(&self, after: FeedSequence, limit: usize) -> Slice {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .slice(after, limit)
    }

    /// The newest event in the ring.
    pub(super) fn head(&self) -> FeedSequence {
        self.ring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .head()
    }

    /// The signal as it is now.
    pub(super) fn signal(&self) -> Signal {
        *self.signal.borrow()
    }

    /// Follows the signal.
    pub(super) fn watch(&self) -> watch::Receiver<Signal> {
        self.signal.subscribe()
    }

    /// Takes note of the oldest cursor that can be served.
    pub(super) fn set_floor(&self, floor: FeedSequence) {
        self.state().floor = floor;
    }

    /// Takes note of a look at the log that worked.
    pub(super) fn looked(&self, at: DateTime<Utc>) {
        self.state().last_look = Some(at);
    }

    /// Takes note of whether notifications arrive.
    pub(super) fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Relaxed);
    }

    /// Counts a reader in.
    pub(super) fn reader_created(&self) {
        self.readers.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a reader out.
    pub(super) fn reader_dropped(&self) {
        self.readers.fetch_sub(1, Ordering::Relaxed);
    }

    /// How it does.
    pub(super) fn status(&self) -> Status {
        let (floor, last_look) = {
            let state = self.state();
            (state.floor, state.last_look)
        };
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let (ring_events, ring_bytes) = ring.size();
        Status {
            head: ring.head(),
            floor,
            ring_events,
            ring_bytes,
            readers: self.readers.load(Ordering::Relaxed),
            listening: self.listening.load(Ordering::Relaxed),
            last_look,
            look_every: self.look_every,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(woken: &[Arc<Notify>]) {
    for reader in woken {
        reader.notify_one();
    }
}

/// A narrow reader's entry in the index; dropping it takes it out.
#[derive(Debug)]
pub(super) struct Subscription {
    hub: Arc<Hub>,
    id: SubscriptionId,
    wake: Arc<Notify>,
}

impl Subscription {
    /// Enters a reader under its keys.
    pub(super) fn new(hub: &Arc<Hub>, keys: Box<[Key]>) -> Self {
        let wake = Arc::new(Notify::new());
        let id = hub.state().index.insert(keys, Arc::clone(&wake));
        Self {
            hub: Arc::clone(hub),
            id,
            wake,
        }
    }

    /// See [`Index::pass_foreign`].
    pub(super) fn pass_foreign(&self, cursor: FeedSequence) -> FeedSequence {
        self.hub.state().index.pass_foreign(self.id, cursor)
    }

    /// See [`Index::arm`].
    pub(super) fn arm(&self, cursor: FeedSequence) -> bool {
        self.hub.state().index.arm(self.id, cursor)
    }

    /// Returns at once when a wake-up came since the last time.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.state().index.remove(self.id);
    }
}
