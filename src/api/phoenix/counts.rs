//! How many kills a system had in the last day: read once for everyone, told to each client now and then.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use rand::RngExt;
use tokio::time::timeout;

use crate::api::ApiState;
use crate::api::limits::{COUNT_DELAY, DATABASE_PAUSE, MAX_COUNTED_SYSTEMS};
use crate::domain::FeedSequence;
use crate::store::killmails;

/// What is counted: a day, as long as Wanderer keeps the number.
const SPAN: TimeDelta = TimeDelta::hours(24);

/// The counts of one process. Whoever finds one missing waits for its turn to read, and then reads everything
/// that was found missing meanwhile; who finds what it needs waits for nobody.
#[derive(Debug, Default)]
pub(super) struct KillCounts {
    cache: Mutex<Cache>,
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Cache {
    counts: HashMap<i64, Count>,
    /// Systems whose count is to be read. Bounded by the systems of New Eden.
    missing: BTreeSet<i64>,
    /// The database failed; it is not asked again before this.
    pause_until: Duration,
}

/// A count and how new it is.
#[derive(Debug, Clone, Copy)]
struct Count {
    kills: i64,
    /// Monotonic time at which it was read.
    at: Duration,
    /// It holds every event up to here.
    head: FeedSequence,
}

/// The counts that one client is still to be told.
#[derive(Debug)]
pub(super) struct OwedCounts {
    // Both bounded by the systems of New Eden; `told` forgets what is older than a minute.
    owed: HashMap<i64, Owed>,
    told: HashMap<i64, Duration>,
    /// How long after a kill its count is told.
    delay: Duration,
    /// Monotonic time at which counts are told next, where it lies ahead.
    together: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Owed {
    due: Duration,
    /// The count has to hold this event.
    needs: FeedSequence,
}

impl Default for OwedCounts {
    fn default() -> Self {
        Self {
            owed: HashMap::new(),
            told: HashMap::new(),
            // Everyone's own, so that all who were pushed a killmail don't come back at once.
            delay: COUNT_DELAY.mul_f64(rand::rng().random_range(0.5..1.5)),
            together: Duration::ZERO,
        }
    }
}

impl OwedCounts {
    /// A kill of the system was pushed.
    pub(super) fn pushed(
        &mut self,
        system: i64,
        needs: FeedSequence,
        now: Duration,
        every: Duration,
    ) {
        if self.together <= now {
            self.together = now + self.delay.min(every);
        }
        let after_last = self.told.get(&system).map(|told| *told + every);
        let due = after_last.unwrap_or(now).max(self.together);
        let owed = self.owed.entry(system).or_insert(Owed { due, needs });
        owed.needs = needs;
    }

    /// The client does not want these any more.
    pub(super) fn forget<'a>(&mut self, systems: impl IntoIterator<Item = &'a i64>) {
        for system in systems {
            self.owed.remove(system);
        }
    }

    /// When the next count is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.owed.values().map(|owed| owed.due).min()
    }

    /// Takes out the counts that are due and at hand, by system. The others are put off.
    pub(super) async fn take_due(&mut self, state: &ApiState, now: Duration) -> Vec<(i64, i64)> {
        let every = state.limits.count_every;
        let due: Vec<i64> = self
            .owed
            .iter()
            .filter(|(_, owed)| owed.due <= now)
            .map(|(system, _)| *system)
            .collect();
        if due.is_empty() {
            return Vec::new();
        }
        let counts = state.phoenix.counts.get(state, &due).await;
        self.told.retain(|_, told| *told + every > now);
        let mut taken = Vec::new();
        for system in due {
            let Some(owed) = self.owed.get_mut(&system) else {
                continue;
            };
            match counts.get(&system) {
                Some(count) if count.head >= owed.needs => {
                    self.owed.remove(&system);
                    self.told.insert(system, now);
                    taken.push((system, count.kills));
                }
                Some(count) => owed.due = (count.at + every).max(now + DATABASE_PAUSE),
                None => owed.due = now + every,
            }
        }
        taken
    }
}

impl KillCounts {
    /// The counts of these systems, at most [`count_every`](crate::api::Limits) old; without those that can't
    /// be read now.
    async fn get(&self, state: &ApiState, wanted: &[i64]) -> HashMap<i64, Count> {
        let every = state.limits.count_every;
        if self.lock().lacks(wanted, state.clock.monotonic(), every) {
            let _turn = self.reading.lock().await;
            let now = state.clock.monotonic();
            let missing = self.lock().take_missing(wanted, now, every);
            if !missing.is_empty() {
                self.read(state, &missing, now).await;
            }
        }
        let now = state.clock.monotonic();
        let cache = self.lock();
        wanted
            .iter()
            .filter_map(|system| Some((*system, cache.fresh(*system, now, every)?)))
            .collect()
    }

    async fn read(&self, state: &ApiState, systems: &[i64], now: Duration) {
        // Taken before the count: everything up to here was committed.
        let head = state.feed.bounds().head;
        let since = state.clock.now() - SPAN;
        let reading = killmails::count_since(&state.store.pool, systems, since);
        match timeout(state.limits.request_timeout, reading).await {
            Ok(Ok(rows)) => {
                let counts = rows.into_iter().map(|row| {
                    let count = Count {
                        kills: row.count,
                        at: now,
                        head,
                    };
                    (row.solar_system_id, count)
                });
                self.lock().counts.extend(counts);
            }
            Ok(Err(error)) => {
                tracing::debug!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "kills could not be counted"
                );
                self.lock().pause_until = now + DATABASE_PAUSE;
            }
            Err(_) => self.lock().pause_until = state.clock.monotonic() + DATABASE_PAUSE,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn fresh(&self, system: i64, now: Duration, every: Duration) -> Option<Count> {
        let count = self.counts.get(&system).copied();
        count.filter(|count| count.at + every > now)
    }

    /// Takes note of what of this is to be read. False when nothing is, or not now.
    fn lacks(&mut self, wanted: &[i64], now: Duration, every: Duration) -> bool {
        if self.pause_until > now {
            return false;
        }
        let missing: Vec<i64> = wanted
            .iter()
            .copied()
            .filter(|system| self.fresh(*system, now, every).is_none())
            .collect();
        self.missing.extend(&missing);
        !missing.is_empty()
    }

    /// Everything that is still to be read, once it is this caller's turn: nothing when another's turn has
    /// brought what it wants.
    fn take_missing(&mut self, wanted: &[i64], now: Duration, every: Duration) -> Vec<i64> {
        if !self.lacks(wanted, now, every) {
            return Vec::new();
        }
        if self.counts.len() + self.missing.len() > MAX_COUNTED_SYSTEMS {
            self.counts.retain(|_, count| count.at + every > now);
        }
        std::mem::take(&mut self.missing).into_iter().collect()
    }
}
