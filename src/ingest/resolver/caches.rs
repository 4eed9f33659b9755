//! Bounded caches before the look-ups, with short-lived entries for what is not known.
//!
//! | cache | bytes | why so many | known for | unknown for |
//! |---|---|---|---|---|
//! | names | 24 MiB | a day's participants (about 60,000) and more | 6 h: renames are rare, and a name only decorates | 60 s |
//! | types | 8 MiB | every ship and weapon that occurs, out of 53,000 types | 1 h: an update of the static data shows the same hour | 60 s |
//! | systems | 4 MiB | all 8,500 | 1 h, likewise | 60 s |
//!
//! Unknown entries spare the database the same fruitless question for every killmail of a fight; 60 s is
//! how late a name that another process has found meanwhile may be used.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

use super::tables::Found;
use crate::domain::names::{Subject, Wanted};
use crate::domain::{Enrichment, EntityKey, EntityName, ShipType, SolarSystem};
use crate::ingest::events::{CacheAsked, CacheFilled};

const NAMES: u64 = 24 << 20;
const NAMES_FOR: Duration = Duration::from_hours(6);
const TYPES: u64 = 8 << 20;
const SYSTEMS: u64 = 4 << 20;
const STATIC_DATA_FOR: Duration = Duration::from_hours(1);
const UNKNOWN_FOR: Duration = Duration::from_mins(1);
/// An entry's key, value, and share of the cache's own tables, its texts not counted.
const ENTRY: usize = 250;

/// Whether an id is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    Resting,
    GivenUp,
}

#[derive(Debug)]
struct Entry<V> {
    value: Option<Arc<V>>,
    standing: Standing,
    lasting: bool,
    texts: usize,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            ..*self
        }
    }
}

/// How large one cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSize {
    /// Which.
    pub cache: &'static str,
    /// Entries, unknown ones included.
    pub entries: u64,
    /// Bytes, as the limit counts them.
    pub bytes: u64,
}

/// The three caches.
#[derive(Debug)]
pub(super) struct Caches {
    names: Cache<EntityKey, Entry<EntityName>>,
    types: Cache<i64, Entry<ShipType>>,
    systems: Cache<i64, Entry<SolarSystem>>,
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
    pub(super) async fn take_known(&self, wanted: &Wanted, found: &mut Found) -> Wanted {
        let mut missing = Wanted::default();
        for key in &wanted.entities {
            let entry = self.names.get(key).await;
            match note(found, Subject::Entity(*key), entry) {
                Some(value) => found.enrichment.names.extend(value.map(|it| (*key, it))),
                None => missing.entities.push(*key),
            }
        }
        for id in &wanted.types {
            let entry = self.types.get(id).await;
            match note(found, Subject::ShipType(*id), entry) {
                Some(value) => (found.enrichment.ship_types).extend(value.map(|it| (*id, it))),
                None => missing.types.push(*id),
            }
        }
        for id in &wanted.solar_systems {
            let entry = self.systems.get(id).await;
            match note(found, Subject::SolarSystem(*id), entry) {
                Some(value) => (found.enrichment.solar_systems).extend(value.map(|it| (*id, it))),
                None => missing.solar_systems.push(*id),
            }
        }
        asked("names", wanted.entities.len(), missing.entities.len());
        asked("types", wanted.types.len(), missing.types.len());
        let systems = missing.solar_systems.len();
        asked("systems", wanted.solar_systems.len(), systems);
        missing
    }

    /// Remembers the answer to a question, including what was not in it.
    pub(super) async fn remember(&self, asked: impl Iterator<Item = Subject>, answer: &Found) {
        for subject in asked {
            let standing = standing(answer, subject);
            let known = &answer.enrichment;
            match subject {
                Subject::Entity(key) => {
                    let value = known.names.get(&key).cloned();
                    let texts = value.as_ref().map_or(0, |it| {
                        it.name.len() + it.ticker.as_ref().map_or(0, String::len)
                    });
                    let lasting = known.knows(subject);
                    let entry = entry(value, standing, lasting, texts);
                    self.names.insert(key, entry).await;
                }
                Subject::ShipType(id) => {
                    let value = known.ship_types.get(&id).cloned();
                    let texts = value.as_ref().map_or(0, |it| {
                        it.name.len() + it.group_name.len() + it.category_name.len()
                    });
                    let entry = entry(value, standing, known.knows(subject), texts);
                    self.types.insert(id, entry).await;
                }
                Subject::SolarSystem(id) => {
                    let value = known.solar_systems.get(&id).cloned();
                    let texts = value.as_ref().map_or(0, |it| {
                        it.name.len() + it.constellation_name.len() + it.region_name.len()
                    });
                    let entry = entry(value, standing, known.knows(subject), texts);
                    self.systems.insert(id, entry).await;
                }
            }
        }
        for CacheSize {
            cache,
            entries,
            bytes,
        } in self.sizes()
        {
            CacheFilled {
                cache,
                entries,
                bytes,
            }
            .emit();
        }
    }

    /// How large they are.
    pub(super) fn sizes(&self) -> [CacheSize; 3] {
        let size = |cache, entries, bytes| CacheSize {
            cache,
            entries,
            bytes,
        };
        let (names, types, systems) = (&self.names, &self.types, &self.systems);
        [
            size("names", names.entry_count(), names.weighted_size()),
            size("types", types.entry_count(), types.weighted_size()),
            size("systems", systems.entry_count(), systems.weighted_size()),
        ]
    }

    /// What is cached of `subjects`, without counting as a question.
    pub(super) async fn peek(&self, subjects: &HashSet<Subject>, known: &mut Enrichment) {
        for subject in subjects {
            match *subject {
                Subject::Entity(key) => {
                    let value = self.names.get(&key).await.and_then(|it| it.value);
                    known.names.extend(value.map(|it| (key, it)));
                }
                Subject::ShipType(id) => {
                    let value = self.types.get(&id).await.and_then(|it| it.value);
                    known.ship_types.extend(value.map(|it| (id, it)));
                }
                Subject::SolarSystem(id) => {
                    let value = self.systems.get(&id).await.and_then(|it| it.value);
                    known.solar_systems.extend(value.map(|it| (id, it)));
                }
            }
        }
    }
}

fn entry<V>(value: Option<Arc<V>>, standing: Standing, lasting: bool, texts: usize) -> Entry<V> {
    Entry {
        value,
        standing,
        lasting,
        texts,
    }
}

fn standing(found: &Found, subject: Subject) -> Standing {
    if found.given_up.contains(&subject) {
        Standing::GivenUp
    } else if found.resting.contains(&subject) {
        Standing::Resting
    } else {
        Standing::Open
    }
}

fn note<V>(found: &mut Found, subject: Subject, entry: Option<Entry<V>>) -> Option<Option<Arc<V>>> {
    let entry = entry?;
    match entry.standing {
        Standing::Open => {}
        Standing::Resting => {
            found.resting.insert(subject);
        }
        Standing::GivenUp => {
            found.given_up.insert(subject);
        }
    }
    Some(entry.value)
}

fn asked(cache: &'static str, wanted: usize, missing: usize) {
    CacheAsked {
        cache,
        hits: number(wanted.saturating_sub(missing)),
        misses: number(missing),
    }
    .emit();
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn cache<K, V>(bytes: u64, known_for: Duration) -> Cache<K, Entry<V>>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|_, entry: &Entry<V>| u32::try_from(ENTRY + entry.texts).unwrap_or(u32::MAX))
        .expire_after(Lifetime { known_for })
        .build()
}

/// How long an entry lives: unknown ones shortly.
#[derive(Debug)]
struct Lifetime {
    known_for: Duration,
}

impl Lifetime {
    fn of<V>(&self, entry: &Entry<V>) -> Duration {
        if entry.lasting {
            self.known_for
        } else {
            UNKNOWN_FOR
        }
    }
}

impl<K, V> Expiry<K, Entry<V>> for Lifetime {
    fn expire_after_create(&self, _: &K, entry: &Entry<V>, _: Instant) -> Option<Duration> {
        Some(self.of(entry))
    }

    fn expire_after_update(
        &self,
        _: &K,
        entry: &Entry<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(entry))
    }
}
