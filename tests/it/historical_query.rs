//! The historical query finds what the feed's filter wants, and only that: any combination of filters, order and
//! page size against a naive walk over the same killmails.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestRunner};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sqlx::AssertSqlSafe;
use wanderer_kills::domain::{
    Attacker, Enrichment, Facts, Filter, Killmail, MatchMode, Role, SecurityBand, ShipType,
    SolarSystem, Victim, Zkb, wire,
};
use wanderer_kills::store::Store;
use wanderer_kills::store::killmails::query::{self, HistoricalQuery, Order, Place};
use wanderer_kills::store::killmails::{self, StorableKillmail};

use crate::store_samples::{store, time};

/// Killmails that are stored once and asked for again and again.
const KILLMAILS: i64 = 2_500;

const LABELS: [&str; 4] = ["loc:nullsec", "ganked", "isk:1b+", "#:2+"];

/// Systems of every kind of space, three of which no static data knows (the last two tell by their ids).
const SYSTEMS: [(i64, Option<f64>); 12] = [
    (30_000_001, Some(0.945)),
    (30_000_002, Some(0.45)),
    (30_000_003, Some(0.449_999)),
    (30_000_004, Some(0.000_1)),
    (30_000_005, Some(0.0)),
    (30_000_006, Some(-0.38)),
    (30_000_007, Some(-1.0)),
    (31_000_001, Some(-0.99)),
    (32_000_001, Some(-1.0)),
    (30_000_008, None),
    (31_000_002, None),
    (34_000_001, None),
];

pub(crate) fn enrichment() -> Enrichment {
    let mut enrichment = Enrichment::default();
    for (index, (id, security)) in (0_i64..).zip(SYSTEMS) {
        let Some(security_status) = security else {
            continue;
        };
        let system = SolarSystem {
            solar_system_id: id,
            name: format!("System {id}"),
            constellation_id: 20_000_001 + index / 2,
            constellation_name: "C".to_owned(),
            region_id: 10_000_001 + index / 4,
            region_name: "R".to_owned(),
            security_status,
            wormhole_class: None,
        };
        enrichment.solar_systems.insert(id, Arc::new(system));
    }
    // Types 7 and 8 are in no group that is known.
    for type_id in 1..=6 {
        let ship_type = ShipType {
            type_id,
            name: format!("Ship {type_id}"),
            group_id: 20 + type_id / 2,
            group_name: "G".to_owned(),
            ..ship_type()
        };
        enrichment.ship_types.insert(type_id, Arc::new(ship_type));
    }
    enrichment
}

struct Made<'r>(&'r mut StdRng);

impl Made<'_> {
    /// One of the first ids far more often than one of the last.
    fn id(&mut self, often: f64, most: i64) -> Option<i64> {
        self.0.random_bool(often).then(|| {
            let highest = self.0.random_range(1..=most);
            self.0.random_range(1..=highest)
        })
    }

    fn attacker(&mut self) -> Attacker {
        Attacker {
            character_id: self.id(0.8, 40),
            corporation_id: self.id(0.9, 15),
            alliance_id: self.id(0.6, 6),
            faction_id: self.id(0.2, 3),
            ship_type_id: self.id(0.9, 8),
            final_blow: self.0.random_bool(0.3),
            ..Attacker::default()
        }
    }

    fn zkb(&mut self) -> Option<Zkb> {
        let labels = self.0.random_bool(0.7).then(|| {
            let chosen = LABELS.iter().filter(|_| self.0.random_bool(0.3));
            chosen.map(ToString::to_string).collect()
        });
        let zkb = Zkb {
            total_value: (self.0.random_bool(0.8))
                .then(|| f64::from(self.0.random_range(0..40_i32)) * 0.25),
            npc: self.flag(),
            solo: self.flag(),
            awox: self.flag(),
            labels,
            ..Zkb::default()
        };
        (self.0.random_bool(0.9)).then_some(zkb)
    }

    fn flag(&mut self) -> Option<bool> {
        self.0.random_bool(0.8).then(|| self.0.random_bool(0.5))
    }

    /// Over three years; hundreds of them share a few moments.
    fn time(&mut self) -> DateTime<Utc> {
        let steps = if self.0.random_bool(0.2) { 3 } else { 1_090 };
        time("2024-01-01T00:00:00Z") + TimeDelta::days(self.0.random_range(0..steps))
    }

    fn killmail(&mut self, killmail_id: i64) -> Killmail {
        let (system, _) = SYSTEMS[self.0.random_range(0..SYSTEMS.len())];
        let attackers = self.0.random_range(0..5);
        Killmail {
            killmail_id,
            hash: None,
            killmail_time: self.time(),
            solar_system_id: system,
            moon_id: None,
            war_id: self.id(0.2, 4),
            victim: Victim {
                character_id: self.id(0.7, 40),
                corporation_id: self.id(0.9, 15),
                alliance_id: self.id(0.6, 6),
                faction_id: self.id(0.2, 3),
                ship_type_id: self.id(0.9, 8),
                ..Victim::default()
            },
            attackers: (0..attackers).map(|_| self.attacker()).collect(),
            zkb: self.zkb(),
        }
    }
}

fn ship_type() -> ShipType {
    ShipType {
        type_id: 0,
        name: String::new(),
        group_id: 0,
        group_name: String::new(),
        category_id: 6,
        category_name: "Ship".to_owned(),
        published: true,
    }
}

pub(crate) fn made(seed: u64, ids: impl Iterator<Item = i64>) -> Vec<Killmail> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut made = Made(&mut random);
    ids.map(|id| made.killmail(id)).collect()
}

/// A killmail as the naive filter sees it.
struct Known {
    place: Place,
    facts: Facts,
    war_id: Option<i64>,
}

impl Known {
    fn of(killmail: &Killmail, enrichment: &Enrichment) -> Self {
        let document = wire::document(killmail, enrichment);
        Self {
            place: Place {
                killmail_time: killmail.killmail_time,
                killmail_id: killmail.killmail_id,
            },
            facts: Facts::from_document(&document).unwrap(),
            war_id: killmail.war_id,
        }
    }

    fn is_wanted(&self, query: &HistoricalQuery) -> bool {
        let time = self.place.killmail_time;
        query.filter.matches(&self.facts)
            && query.from.is_none_or(|from| time >= from)
            && query.to.is_none_or(|to| time < to)
            && (query.wars.is_empty() || self.war_id.is_some_and(|id| query.wars.contains(&id)))
    }
}

fn naive(known: &[Known], query: &HistoricalQuery) -> Vec<Place> {
    let wanted = known.iter().filter(|known| known.is_wanted(query));
    let mut places: Vec<Place> = wanted.map(|known| known.place).collect();
    places.sort_unstable();
    if query.order == Order::Newest {
        places.reverse();
    }
    places
}

fn storable(killmails: &[Killmail], enrichment: &Enrichment) -> Vec<StorableKillmail> {
    let made = killmails.iter().map(|killmail| StorableKillmail {
        document: wire::document(killmail, enrichment),
        killmail: killmail.clone(),
        pending_names: false,
    });
    made.collect()
}

pub(crate) async fn write(store: &Store, killmails: &[Killmail], enrichment: &Enrichment) {
    for batch in killmails.chunks(500) {
        let batch = storable(batch, enrichment);
        let mut conn = store.pool.acquire().await.unwrap();
        killmails::upsert(&mut conn, &batch, enrichment)
            .await
            .unwrap();
    }
}

/// As rows are that were stored before killmails had codes of their groups.
async fn forget_some_groups(store: &Store) {
    let forgotten = "UPDATE killmails SET ship_group_codes = NULL WHERE killmail_id % 5 = 0";
    sqlx::query(forgotten).execute(&store.pool).await.unwrap();
}

/// Every page to the last one.
async fn paged(store: &Store, query: &HistoricalQuery, size: i64) -> Vec<Place> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let mut conn = query::connection(&store.reads.primary().history)
            .await
            .unwrap();
        let page = query::places(&mut conn, query, after, size).await.unwrap();
        assert!(i64::try_from(page.len()).unwrap() <= size);
        let is_last = i64::try_from(page.len()).unwrap() < size;
        after = page.last().copied().or(after);
        found.extend(page);
        if is_last {
            return found;
        }
    }
}

/// Whether the first page comes from two clauses side by side, and whether regions tell of groups of ships beforehand.
async fn ways(store: &Store, query: &HistoricalQuery) -> [bool; 2] {
    let mut conn = query::connection(&store.reads.primary().history)
        .await
        .unwrap();
    let statement = query::statement(&mut conn, query, None, 1).await;
    let sql = statement.unwrap().sql;
    [" IN (SELECT ", "ship_group_codes"].map(|way| sql.contains(way))
}

fn ids(most: i64) -> impl Strategy<Value = BTreeSet<i64>> {
    ids_of((1..=most).collect())
}

fn ids_of(all: Vec<i64>) -> impl Strategy<Value = BTreeSet<i64>> {
    prop_oneof![
        3 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set(select(all), 1..4),
    ]
}

prop_compose! {
    fn filters()(
        systems in ids_of(SYSTEMS.iter().map(|(id, _)| *id).collect()),
        constellations in ids_of((20_000_001..=20_000_005).collect()),
        regions in ids_of((10_000_001..=10_000_003).collect()),
        parties in (ids(41), ids(16), ids(7), ids(4)),
        ships in (ids(8), ids_of((20..=23).collect())),
        match_mode in select(vec![MatchMode::All, MatchMode::Any]),
        role in select(vec![Role::Any, Role::Victim, Role::Attacker, Role::FinalBlow]),
        min_value in prop::option::weighted(0.15, (0..30_i32).prop_map(|it| f64::from(it) * 0.25)),
        over in prop::option::weighted(0.15, (0..30_i32).prop_map(|it| f64::from(it) * 0.25)),
        flags in prop::array::uniform3(prop::option::weighted(0.1, any::<bool>())),
        security in prop_oneof![
            6 => Just(BTreeSet::new()),
            1 => prop::collection::btree_set(select(SecurityBand::ALL.to_vec()), 1..3),
        ],
        labels in prop_oneof![
            6 => Just(BTreeSet::new()),
            1 => prop::collection::btree_set(select(LABELS.to_vec()), 1..3),
        ],
        alone in prop::option::weighted(0.15, (
            prop::collection::btree_set(10_000_001..=10_000_003_i64, 1..3),
            prop::collection::btree_set(20..=23_i64, 1..3),
        )),
    ) -> Filter {
        if let Some((regions, ship_groups)) = alone {
            return Filter { regions, ship_groups, role, min_value, ..Filter::default() };
        }
        let [npc, solo, awox] = flags;
        Filter {
            systems, constellations, regions,
            characters: parties.0, corporations: parties.1, alliances: parties.2, factions: parties.3,
            ship_types: ships.0, ship_groups: ships.1,
            match_mode, role, min_value,
            max_value: over.map(|over| min_value.unwrap_or_default() + over),
            npc, solo, awox, security,
            labels: labels.into_iter().map(str::to_owned).collect(),
        }
    }
}

prop_compose! {
    fn queries()(
        filter in filters(),
        wars in prop_oneof![6 => Just(BTreeSet::new()), 1 => prop::collection::btree_set(1..=5_i64, 1..3)],
        from in prop::option::weighted(0.25, 0..1_090_i64),
        days in prop::option::weighted(0.25, 1..700_i64),
        oldest_first: bool,
    ) -> HistoricalQuery {
        let day = |days: i64| time("2024-01-01T00:00:00Z") + TimeDelta::days(days);
        HistoricalQuery {
            filter, wars,
            from: from.map(day),
            to: days.map(|days| day(from.unwrap_or_default() + days)),
            order: if oldest_first { Order::Oldest } else { Order::Newest },
        }
    }
}

/// Small pages lead through short answers only: each page is a statement.
fn page_size(expected: usize, wanted: i64) -> i64 {
    let least = i64::try_from(expected / 12).unwrap() + 1;
    wanted.max(least)
}

#[test]
fn every_query_finds_what_its_filter_wants_page_by_page() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let enrichment = enrichment();
    let killmails = made(11, 1..=KILLMAILS);
    let known: Vec<Known> = (killmails.iter())
        .map(|killmail| Known::of(killmail, &enrichment))
        .collect();
    let (_database, store) = runtime.block_on(store());
    runtime.block_on(write(&store, &killmails, &enrichment));
    runtime.block_on(forget_some_groups(&store));
    let answered = Cell::new(0_usize);
    let taken = Cell::new([0_usize; 2]);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(queries(), 1..300_i64), |(query, size)| {
            let expected = naive(&known, &query);
            let size = page_size(expected.len(), size);
            let found = runtime.block_on(paged(&store, &query, size));
            if !expected.is_empty() {
                answered.set(answered.get() + 1);
                let taken_now = runtime.block_on(ways(&store, &query)).map(usize::from);
                let [merged, told] = taken.get();
                taken.set([merged + taken_now[0], told + taken_now[1]]);
            }
            if found == expected {
                Ok(())
            } else {
                Err(TestCaseError::fail(format!(
                    "{} found, {} expected",
                    found.len(),
                    expected.len()
                )))
            }
        })
        .unwrap();
    assert!(answered.get() > 100, "only {answered:?} had an answer");
    let [merged, told] = taken.get();
    assert!(merged > 10, "only {merged} merged two clauses");
    assert!(told > 10, "only {told} let a region tell of groups");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_at_the_start_comes_once_while_others_are_stored() {
    let (_database, store) = store().await;
    let enrichment = enrichment();
    let first = made(21, (1..=2_400).step_by(2));
    write(&store, &first, &enrichment).await;
    let known: Vec<Known> = (first.iter())
        .map(|killmail| Known::of(killmail, &enrichment))
        .collect();
    // Of the same three years, so before, behind and amid the pages; and some at the very ends.
    let mut later = made(22, (2..=2_400).step_by(2));
    for (killmail, at) in later
        .iter_mut()
        .zip(["2023-01-01T00:00:00Z", "2027-06-01T00:00:00Z"])
    {
        killmail.killmail_time = time(at);
    }
    let (writing_store, writing_enrichment) = (store.clone(), enrichment.clone());
    let writing = tokio::spawn(async move {
        for batch in later.chunks(10) {
            write(&writing_store, batch, &writing_enrichment).await;
        }
    });
    let of_corporations = |role| Filter {
        corporations: (1..=8).collect(),
        role,
        ..Filter::default()
    };
    let of_a_region_and_groups = Filter {
        regions: [10_000_001].into(),
        ship_groups: [20, 22].into(),
        ..Filter::default()
    };
    let of_two_clauses = Filter {
        corporations: [1, 2].into(),
        regions: [10_000_001].into(),
        ..Filter::default()
    };
    let filters = [
        of_corporations(Role::Any),
        of_corporations(Role::Victim),
        of_two_clauses,
        of_a_region_and_groups,
    ];
    for order in [Order::Newest, Order::Oldest] {
        for filter in &filters {
            let query = HistoricalQuery {
                filter: filter.clone(),
                order,
                ..HistoricalQuery::default()
            };
            let found = paged(&store, &query, 7).await;
            let in_order = |pair: &[Place]| match order {
                Order::Newest => pair[0] > pair[1],
                Order::Oldest => pair[0] < pair[1],
            };
            assert!(found.windows(2).all(in_order), "out of order or twice");
            let of_the_first: Vec<Place> = (found.iter().copied())
                .filter(|place| place.killmail_id % 2 == 1)
                .collect();
            assert!(!of_the_first.is_empty());
            assert_eq!(of_the_first, naive(&known, &query));
        }
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn groups_of_ships_are_coded_alike_however_they_are_written() {
    let (_database, store) = store().await;
    let enrichment = enrichment();
    write(&store, &made(41, 1..=300), &enrichment).await;
    let copied = storable(&made(42, 301..=600), &enrichment);
    let mut transaction = store.pool.begin().await.unwrap();
    let nothing_is_announced = DateTime::<Utc>::MAX_UTC;
    killmails::upsert_history(&mut transaction, &copied, &enrichment, nothing_is_announced)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    for ids in ["killmail_id <= 300", "killmail_id > 300"] {
        let counts = format!(
            "SELECT count(*), count(ship_group_codes), count(*) FILTER (WHERE ship_group_codes IS NOT DISTINCT FROM
                ship_group_codes(killmail_id, killmail_time, ship_type_id, ship_group_id))
             FROM killmails WHERE {ids}"
        );
        let (all, coded, right): (i64, i64, i64) = sqlx::query_as(AssertSqlSafe(counts))
            .fetch_one(&store.pool)
            .await
            .unwrap();
        assert_eq!((all, right), (300, 300), "{ids}");
        assert!((100..300).contains(&coded), "{coded} of {ids} are coded");
    }
}
