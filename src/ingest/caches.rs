//! Bounded caches before the look-ups, with short-lived entries for what is not known.
//!
//! | cache | entries | why so many | known for | unknown for |
//! |---|---|---|---|---|
//! | names | 100,000 | a day's participants (about 60,000), near 20 MB when full | 6 h: renames are rare, and a name only decorates | 60 s |
//! | types | 20,000 | every ship and weapon that occurs, out of 53,000 types | 1 h: an update of the static data shows the same hour | 60 s |
//! | systems | 10,000 | all 8,500 | 1 h, likewise | 60 s |
//!
//! Unknown entries spare the database the same fruitless question for every killmail of a fight; 60 s is
//! how late a name that has arrived meanwhile may be used.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

use super::events::CacheAsked;
use crate::domain::names::Wanted;
use crate::domain::{Enrichment, EntityKey, EntityName, ShipType, SolarSystem};

const NAMES: u64 = 100_000;
const NAMES_FOR: Duration = Duration::from_hours(6);
const TYPES: u64 = 20_000;
const SYSTEMS: u64 = 10_000;
const STATIC_DATA_FOR: Duration = Duration::from_hours(1);
const UNKNOWN_FOR: Duration = Duration::from_mins(1);

/// The three caches.
#[derive(Debug)]
pub(super) struct Caches {
    names: Cache<EntityKey, Option<Arc<EntityName>>>,
    types: Cache<i64, Option<Arc<ShipType>>>,
    systems: Cache<i64, Option<Arc<SolarSystem>>>,
}

impl Caches {
    pub(super) fn new() -> Self {
        Self {
            names: cache(NAMES, NAMES_FOR),
            types: cache(TYPES, STATIC_DATA_FOR),
            systems: cache(SYSTEMS, STATIC_DATA_FOR),
        }
    }

    /// Adds what is cached to `found` and returns what has to be looked up elsewhere.
    pub(super) async fn take_known(&self, wanted: &Wanted, found: &mut Enrichment) -> Wanted {
        Wanted {
            entities: take("names", &self.names, &wanted.entities, &mut found.names).await,
            types: take("types", &self.types, &wanted.types, &mut found.ship_types).await,
            solar_systems: take(
                "systems",
                &self.systems,
                &wanted.solar_systems,
                &mut found.solar_systems,
            )
            .await,
        }
    }

    /// Remembers the answer to a question, including what was not in it.
    pub(super) async fn remember(&self, asked: &Wanted, answer: &Enrichment) {
        remember(&self.names, &asked.entities, &answer.names).await;
        remember(&self.types, &asked.types, &answer.ship_types).await;
        remember(&self.systems, &asked.solar_systems, &answer.solar_systems).await;
    }
}

type Known<K, V> = std::collections::HashMap<K, Arc<V>>;

async fn take<K, V>(
    name: &'static str,
    cache: &Cache<K, Option<Arc<V>>>,
    wanted: &[K],
    found: &mut Known<K, V>,
) -> Vec<K>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    let mut missing = Vec::new();
    for key in wanted {
        match cache.get(key).await {
            Some(Some(value)) => {
                found.insert(*key, value);
            }
            Some(None) => {}
            None => missing.push(*key),
        }
    }
    CacheAsked {
        cache: name,
        hits: number(wanted.len() - missing.len()),
        misses: number(missing.len()),
    }
    .emit();
    missing
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

async fn remember<K, V>(cache: &Cache<K, Option<Arc<V>>>, asked: &[K], answer: &Known<K, V>)
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    for key in asked {
        cache.insert(*key, answer.get(key).cloned()).await;
    }
}

fn cache<K, V>(entries: u64, known_for: Duration) -> Cache<K, Option<Arc<V>>>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(entries)
        .expire_after(Lifetime { known_for })
        .build()
}

/// How long an entry lives: unknown ones shortly.
#[derive(Debug)]
struct Lifetime {
    known_for: Duration,
}

impl Lifetime {
    fn of<V>(&self, value: Option<&V>) -> Duration {
        value.map_or(UNKNOWN_FOR, |_| self.known_for)
    }
}

impl<K, V> Expiry<K, Option<Arc<V>>> for Lifetime {
    fn expire_after_create(
        &self,
        _key: &K,
        value: &Option<Arc<V>>,
        _created_at: Instant,
    ) -> Option<Duration> {
        Some(self.of(value.as_ref()))
    }

    fn expire_after_update(
        &self,
        _key: &K,
        value: &Option<Arc<V>>,
        _updated_at: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(value.as_ref()))
    }
}
