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
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::cache::{Entry, Standing, cache, entry, put};
use super::tables::Found;
use crate::domain::names::{Subject, Wanted};
use crate::domain::{Enrichment, EntityKey, EntityName, ShipType, SolarSystem};
use crate::ingest::events::{CacheAsked, CacheFilled};

const NAMES: u64 = 24 << 20;
const NAMES_FOR: Duration = Duration::from_hours(6);
const TYPES: u64 = 8 << 20;
const SYSTEMS: u64 = 4 << 20;
const STATIC_DATA_FOR: Duration = Duration::from_hours(1);
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
            let subject = Subject::Entity(*key);
            match note(found, subject, self.names.get(key).await) {
                Cached::Known(name) => drop(found.enrichment.names.insert(*key, name)),
                Cached::Unknown => {}
                Cached::Missing => missing.entities.push(*key),
            }
        }
        for id in &wanted.types {
            let subject = Subject::ShipType(*id);
            match note(found, subject, self.types.get(id).await) {
                Cached::Known(it) => drop(found.enrichment.ship_types.insert(*id, it)),
                Cached::Unknown => {}
                Cached::Missing => missing.types.push(*id),
            }
        }
        for id in &wanted.solar_systems {
            let subject = Subject::SolarSystem(*id);
            match note(found, subject, self.systems.get(id).await) {
                Cached::Known(it) => drop(found.enrichment.solar_systems.insert(*id, it)),
                Cached::Unknown => {}
                Cached::Missing => missing.solar_systems.push(*id),
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
                    put(&self.names, key, entry).await;
                }
                Subject::ShipType(id) => {
                    let value = known.ship_types.get(&id).cloned();
                    let texts = value.as_ref().map_or(0, |it| {
                        it.name.len() + it.group_name.len() + it.category_name.len()
                    });
                    let entry = entry(value, standing, known.knows(subject), texts);
                    put(&self.types, id, entry).await;
                }
                Subject::SolarSystem(id) => {
                    let value = known.solar_systems.get(&id).cloned();
                    let texts = value.as_ref().map_or(0, |it| {
                        it.name.len() + it.constellation_name.len() + it.region_name.len()
                    });
                    let entry = entry(value, standing, known.knows(subject), texts);
                    put(&self.systems, id, entry).await;
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

fn standing(found: &Found, subject: Subject) -> Standing {
    if found.given_up.contains(&subject) {
        Standing::GivenUp
    } else if found.resting.contains(&subject) {
        Standing::Resting
    } else {
        Standing::Open
    }
}

/// What a cache says of one subject.
enum Cached<V> {
    Known(Arc<V>),
    /// It was looked for a moment ago, in vain.
    Unknown,
    Missing,
}

fn note<V>(found: &mut Found, subject: Subject, entry: Option<Entry<V>>) -> Cached<V> {
    let Some(entry) = entry else {
        return Cached::Missing;
    };
    match entry.standing {
        Standing::Open => {}
        Standing::Resting => {
            found.resting.insert(subject);
        }
        Standing::GivenUp => {
            found.given_up.insert(subject);
        }
    }
    entry.value.map_or(Cached::Unknown, Cached::Known)
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
