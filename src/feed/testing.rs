//! A log in memory and killmails from a small world, for the tests of this room.

use std::sync::{Arc, Mutex};

use chrono::DateTime;
use futures::future::BoxFuture;
use proptest::prelude::*;

use super::hub::Hub;
use super::log::Log;
use super::ring::Ring;
use super::tail::Tail;
use super::{FeedEvent, Reader};
use crate::domain::{
    Attacker, Enrichment, FeedSequence, Filter, Killmail, MatchMode, Role, ShipType, SolarSystem,
    Victim, Zkb, wire,
};
use crate::runtime::clock::TestClock;
use crate::store::Result;
use crate::store::feed::{Bounds, FeedKind, FeedRow};

/// A killmail in a system with one victim and one attacker, told apart by `id`.
pub(super) fn kill(system: i64, id: i64) -> Killmail {
    Killmail {
        killmail_id: id,
        hash: None,
        killmail_time: DateTime::UNIX_EPOCH,
        solar_system_id: system,
        moon_id: None,
        war_id: None,
        victim: Victim {
            character_id: Some(id),
            ship_type_id: Some(587),
            ..Victim::default()
        },
        attackers: vec![Attacker {
            final_blow: true,
            ..Attacker::default()
        }],
        zkb: None,
    }
}

/// Places and ships of the small world: constellation, region and group follow from the id.
fn enrichment(killmail: &Killmail) -> Enrichment {
    let mut enrichment = Enrichment::default();
    let system = killmail.solar_system_id;
    enrichment.solar_systems.insert(
        system,
        Arc::new(SolarSystem {
            solar_system_id: system,
            name: format!("system {system}"),
            constellation_id: system % 4 + 1,
            constellation_name: "constellation".to_owned(),
            region_id: system % 2 + 1,
            region_name: "region".to_owned(),
            security_status: 0.5,
            wormhole_class: None,
        }),
    );
    let ships = killmail
        .attackers
        .iter()
        .map(|attacker| attacker.ship_type_id);
    for type_id in ships.chain([killmail.victim.ship_type_id]).flatten() {
        let ship = ShipType {
            type_id,
            name: format!("type {type_id}"),
            group_id: type_id % 3 + 1,
            group_name: "group".to_owned(),
            category_id: 6,
            category_name: "Ship".to_owned(),
            published: true,
        };
        enrichment.ship_types.insert(type_id, Arc::new(ship));
    }
    enrichment
}

/// A row of the log.
pub(super) fn row(sequence: i64, killmail: &Killmail) -> FeedRow {
    FeedRow {
        sequence: FeedSequence(sequence),
        kind: FeedKind::New,
        killmail_id: killmail.killmail_id,
        killmail_time: killmail.killmail_time,
        solar_system_id: killmail.solar_system_id,
        committed_at: DateTime::UNIX_EPOCH,
        document: wire::document(killmail, &enrichment(killmail)),
    }
}

/// An event of the log.
pub(super) fn event(sequence: i64, killmail: &Killmail) -> FeedEvent {
    FeedEvent::from(row(sequence, killmail))
}

/// The log in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryLog(Mutex<Stored>);

#[derive(Debug, Default)]
struct Stored {
    rows: Vec<FeedRow>,
    bounds: Bounds,
    reads: usize,
    lost: Vec<std::ops::RangeInclusive<i64>>,
}

impl MemoryLog {
    pub(super) fn append(&self, killmail: &Killmail) -> FeedSequence {
        let mut stored = self.0.lock().unwrap();
        stored.bounds.head.0 += 1;
        let head = stored.bounds.head;
        stored.rows.push(row(head.0, killmail));
        head
    }

    /// Forgets everything up to and with `floor`.
    pub(super) fn prune(&self, floor: i64) {
        let mut stored = self.0.lock().unwrap();
        stored.rows.retain(|row| row.sequence.0 > floor);
        stored.bounds.floor = FeedSequence(floor).max(stored.bounds.floor);
    }

    /// Deletes the killmails of some events; the log still counts them.
    pub(super) fn lose(&self, sequences: std::ops::RangeInclusive<i64>) {
        let mut stored = self.0.lock().unwrap();
        stored.lost.push(sequences);
    }

    /// Takes back everything after `head`, as an older backup would.
    pub(super) fn set_back(&self, head: i64) {
        let mut stored = self.0.lock().unwrap();
        stored.rows.retain(|row| row.sequence.0 <= head);
        stored.bounds.head = FeedSequence(head);
    }

    /// Every kept event.
    pub(super) fn events(&self) -> Vec<FeedEvent> {
        let stored = self.0.lock().unwrap();
        stored.rows.iter().cloned().map(FeedEvent::from).collect()
    }

    pub(super) fn ends(&self) -> Bounds {
        self.0.lock().unwrap().bounds
    }

    /// How often pages were read.
    pub(super) fn reads(&self) -> usize {
        self.0.lock().unwrap().reads
    }

    fn select(
        &self,
        after: FeedSequence,
        limit: usize,
        wanted: impl Fn(&FeedRow) -> bool,
    ) -> Vec<FeedRow> {
        let mut stored = self.0.lock().unwrap();
        let rows = stored
            .rows
            .iter()
            .filter(|row| row.sequence > after && wanted(row));
        let there = |row: &&FeedRow| {
            !stored
                .lost
                .iter()
                .any(|lost| lost.contains(&row.sequence.0))
        };
        // As in the database, the limit counts events before their killmails are looked up.
        let page = rows.take(limit).filter(there).cloned().collect();
        stored.reads += 1;
        page
    }
}

impl Log for MemoryLog {
    fn bounds(&self) -> BoxFuture<'_, Result<Bounds>> {
        Box::pin(async { Ok(self.ends()) })
    }

    fn page(&self, after: FeedSequence, limit: usize) -> BoxFuture<'_, Result<Vec<FeedRow>>> {
        Box::pin(async move { Ok(self.select(after, limit, |_| true)) })
    }

    fn page_in_systems<'a>(
        &'a self,
        after: FeedSequence,
        systems: &'a [i64],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<FeedRow>>> {
        Box::pin(async move {
            Ok(self.select(after, limit, |row| systems.contains(&row.solar_system_id)))
        })
    }
}

/// A feed whose tail only moves when told to.
pub(super) struct World {
    pub(super) log: Arc<MemoryLog>,
    pub(super) hub: Arc<Hub>,
    tail: Tail,
}

impl World {
    pub(super) fn new(ring_events: usize) -> Self {
        let log = Arc::new(MemoryLog::default());
        let ring = Ring::new(ring_events, usize::MAX, FeedSequence(0));
        let hub = Hub::new(
            Arc::clone(&log) as Arc<dyn Log>,
            ring,
            FeedSequence(0),
            std::time::Duration::ZERO,
        );
        let tail = Tail::new(Arc::clone(&hub), TestClock::at(DateTime::UNIX_EPOCH));
        Self { log, hub, tail }
    }

    pub(super) fn reader(&self, cursor: Option<i64>, filter: Filter) -> Reader {
        Reader::new(Arc::clone(&self.hub), cursor.map(FeedSequence), filter)
    }

    /// Lets the tail read what is new.
    pub(super) async fn look(&mut self) {
        self.tail.look().await.unwrap();
    }
}

/// Killmails of a world small enough that filters hit.
pub(super) fn killmails() -> impl Strategy<Value = Killmail> {
    let party = || {
        let id = || prop::option::of(1_i64..6);
        (id(), id(), id(), id(), id())
    };
    let zkb = prop::option::of((0.0_f64..100.0, any::<bool>(), any::<bool>()));
    (
        1_i64..9,
        party(),
        prop::collection::vec((party(), any::<bool>()), 0..3),
        zkb,
    )
        .prop_map(|(system, victim, attackers, zkb)| Killmail {
            victim: Victim {
                character_id: victim.0,
                corporation_id: victim.1,
                alliance_id: victim.2,
                faction_id: victim.3,
                ship_type_id: victim.4,
                ..Victim::default()
            },
            attackers: attackers
                .into_iter()
                .map(|(party, final_blow)| Attacker {
                    character_id: party.0,
                    corporation_id: party.1,
                    alliance_id: party.2,
                    faction_id: party.3,
                    ship_type_id: party.4,
                    final_blow,
                    ..Attacker::default()
                })
                .collect(),
            zkb: zkb.map(|(value, npc, solo)| Zkb {
                total_value: Some(value),
                npc: Some(npc),
                solo: Some(solo),
                labels: Some(vec![if npc { "npc" } else { "pvp" }.to_owned()]),
                ..Zkb::default()
            }),
            ..kill(system, 1)
        })
}

/// Filters of the same world; most of them ask for something.
pub(super) fn filters() -> impl Strategy<Value = Filter> {
    let ids = || prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(1_i64..9, 1..3)];
    let places = (ids(), ids(), ids());
    let parties = (ids(), ids(), ids(), ids());
    let ships = (ids(), ids());
    let role = prop_oneof![
        Just(Role::Any),
        Just(Role::Victim),
        Just(Role::Attacker),
        Just(Role::FinalBlow),
    ];
    let rest = (
        any::<bool>(),
        role,
        prop::option::weighted(0.1, any::<bool>()),
        prop::bool::weighted(0.1),
    );
    (places, parties, ships, rest).prop_map(
        |(places, parties, ships, (all, role, npc, labelled))| Filter {
            systems: places.0.into_iter().collect(),
            constellations: places.1.into_iter().collect(),
            regions: places.2.into_iter().collect(),
            characters: parties.0.into_iter().collect(),
            corporations: parties.1.into_iter().collect(),
            alliances: parties.2.into_iter().collect(),
            factions: parties.3.into_iter().collect(),
            ship_types: ships.0.into_iter().collect(),
            ship_groups: ships.1.into_iter().collect(),
            match_mode: if all { MatchMode::All } else { MatchMode::Any },
            role,
            npc,
            labels: labelled.then(|| "pvp".to_owned()).into_iter().collect(),
            ..Filter::default()
        },
    )
}
