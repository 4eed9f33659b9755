//! What all Phoenix connections of a process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::counts::KillCounts;
use crate::api::limits::PRELOAD_READERS;

/// Counters, turns and caches of all Phoenix connections.
#[derive(Debug)]
pub struct Lobby {
    connections: Arc<AtomicUsize>,
    subscriptions: Arc<AtomicUsize>,
    /// Monotonic time at which it was made.
    pub(super) started: Duration,
    /// Turns of the preloads that read from the database.
    pub(super) preload_turns: Semaphore,
    /// How many kills systems had.
    pub(super) counts: KillCounts,
}

/// Counted for as long as it lives.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Lobby {
    /// A lobby without anybody in it. `started` is the monotonic time.
    pub(crate) fn new(started: Duration) -> Self {
        Self {
            connections: Arc::default(),
            subscriptions: Arc::default(),
            started,
            preload_turns: Semaphore::new(PRELOAD_READERS),
            counts: KillCounts::default(),
        }
    }

    /// A connection has opened.
    pub(super) fn connected(&self) -> Counted {
        Counted::new(&self.connections)
    }

    /// A channel was joined.
    pub(super) fn joined(&self) -> Counted {
        Counted::new(&self.subscriptions)
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Preloads that read from the database right now.
    pub fn preloads(&self) -> usize {
        PRELOAD_READERS.saturating_sub(self.preload_turns.available_permits())
    }

    /// Joined channels.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.load(Ordering::Relaxed)
    }
}

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
