//! How many kills a system had in the last day: read once for everyone, told to each client now and then.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::api::ApiState;
use crate::api::limits::{DATABASE_PAUSE, MAX_COUNTED_SYSTEMS};
use crate::domain::FeedSequence;
use crate::store::killmails;

/// What is counted: a day, as long as Wanderer keeps the number.
const SPAN: TimeDelta = TimeDelta::hours(24);

/// The counts of one process. Whoever needs a fresh one reads it while others wait for the result.
#[derive(Debug, Default)]
pub(super) struct KillCounts(Mutex<Cache>);

#[derive(Debug, Default)]
struct Cache {
    counts: HashMap<i64, Count>,
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
#[derive(Debug, Default)]
pub(super) struct OwedCounts {
    // Both bounded by the systems of New Eden; `told` forgets what is older than a minute.
    owed: HashMap<i64, Owed>,
    told: HashMap<i64, Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Owed {
    due: Duration,
    /// The count has to hold this event.
    needs: FeedSequence,
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
        let after_last = self.told.get(&system).map(|told| *told + every);
        let due = after_last.unwrap_or(now).max(now);
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
        let mut cache = self.0.lock().await;
        let now = state.clock.monotonic();
        let fresh = |count: &Count| count.at + state.limits.count_every > now;
        let missing: Vec<i64> = wanted
            .iter()
            .copied()
            .filter(|system| !cache.counts.get(system).is_some_and(fresh))
            .collect();
        if !missing.is_empty() && cache.pause_until <= now {
            if cache.counts.len() + missing.len() > MAX_COUNTED_SYSTEMS {
                cache.counts.retain(|_, count| fresh(count));
            }
            cache.read(state, &missing, now).await;
        }
        wanted
            .iter()
            .filter_map(|system| Some((*system, *cache.counts.get(system)?)))
            .filter(|(_, count)| fresh(count))
            .collect()
    }
}

impl Cache {
    async fn read(&mut self, state: &ApiState, systems: &[i64], now: Duration) {
        // Taken before the count: everything up to here was committed.
        let head = state.feed.bounds().head;
        let since = state.clock.now() - SPAN;
        let reading = killmails::count_since(&state.store.pool, systems, since);
        match timeout(state.limits.request_timeout, reading).await {
            Ok(Ok(rows)) => {
                let counts = rows.into_iter().map(|row| {
                    let kills = row.count;
                    (
                        row.solar_system_id,
                        Count {
                            kills,
                            at: now,
                            head,
                        },
                    )
                });
                self.counts.extend(counts);
            }
            Ok(Err(error)) => {
                tracing::debug!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "kills could not be counted"
                );
                self.pause_until = now + DATABASE_PAUSE;
            }
            Err(_) => self.pause_until = state.clock.monotonic() + DATABASE_PAUSE,
        }
    }
}
