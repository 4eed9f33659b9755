//! Where names, types and places come from when the caches do not have them.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use crate::domain::names::{Subject, Wanted};
use crate::domain::{Enrichment, EntityKey, EntityKind};
use crate::runtime::clock::SharedClock;
use crate::store::{self, Store, names, ship_types, systems, unresolved};

/// What our tables know.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Found {
    pub(in crate::ingest) enrichment: Enrichment,
    /// Names that were last confirmed too long ago.
    pub(in crate::ingest) stale: Vec<EntityKey>,
    /// Not asked for again yet.
    pub(in crate::ingest) resting: HashSet<Subject>,
    /// Not asked for again at all.
    pub(in crate::ingest) given_up: HashSet<Subject>,
}

/// A place to look things up, asked once for a whole batch.
pub(in crate::ingest) trait LookUp: Send + Sync + std::fmt::Debug {
    /// What is known of `wanted`; what is not known is left out.
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, store::Result<Found>>;
}

/// Looks things up in our own tables.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    store: Store,
    clock: SharedClock,
}

/// How long a name is believed: pilots can't rename themselves, organisations are renamed by hand now and
/// then, NPCs with an expansion.
const BELIEVED: [(EntityKind, TimeDelta); 4] = [
    (EntityKind::Character, TimeDelta::days(90)),
    (EntityKind::Corporation, TimeDelta::days(30)),
    (EntityKind::Alliance, TimeDelta::days(30)),
    (EntityKind::Faction, NPC_BELIEVED),
];
const NPC_BELIEVED: TimeDelta = TimeDelta::days(365);
/// NPC corporations and pilots, factions and agents all lie below.
const FIRST_PLAYER_ID: i64 = 4_000_000;

fn is_stale(key: EntityKey, confirmed_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let believed = BELIEVED
        .iter()
        .find(|(kind, _)| *kind == key.kind && key.id >= FIRST_PLAYER_ID)
        .map_or(NPC_BELIEVED, |(_, believed)| *believed);
    now - confirmed_at > believed
}

impl Tables {
    /// Looks up in the primary: what was written a moment ago must be found.
    pub(super) fn new(store: Store, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    async fn find_all(&self, wanted: &Wanted) -> store::Result<Found> {
        let mut found = Found::default();
        let pool = &self.store.pool;
        let now = self.clock.now();
        let enrichment = &mut found.enrichment;
        if !wanted.entities.is_empty() {
            for (key, name, confirmed_at) in names::load_dated(pool, &wanted.entities).await? {
                enrichment.names.insert(key, Arc::new(name));
                if is_stale(key, confirmed_at, now) {
                    found.stale.push(key);
                }
            }
        }
        if !wanted.types.is_empty() {
            let rows = ship_types::load(pool, &wanted.types).await?;
            let typed = rows.into_iter().map(|row| (row.type_id, Arc::new(row)));
            enrichment.ship_types.extend(typed);
        }
        if !wanted.solar_systems.is_empty() {
            let rows = systems::load(pool, &wanted.solar_systems).await?;
            let placed = rows
                .into_iter()
                .map(|row| (row.solar_system_id, Arc::new(row)));
            enrichment.solar_systems.extend(placed);
        }
        let doubtful: Vec<Subject> = wanted
            .subjects()
            .filter(|subject| !found.enrichment.knows(*subject))
            .chain(found.stale.iter().map(|key| Subject::Entity(*key)))
            .collect();
        if !doubtful.is_empty() {
            for row in unresolved::load(pool, &doubtful).await? {
                match row.next_attempt_at {
                    None => found.given_up.insert(row.subject),
                    Some(next) => next > now && found.resting.insert(row.subject),
                };
            }
        }
        Ok(found)
    }
}

impl LookUp for Tables {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, store::Result<Found>> {
        Box::pin(self.find_all(wanted))
    }
}
