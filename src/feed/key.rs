//! What events and filters have in common: places, participants and ships, by kind and id.

use std::collections::{BTreeSet, HashSet};

use crate::domain::{Facts, Filter, MatchMode, Party};

/// One thing that a filter can ask for and an event can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A solar system.
    System(i64),
    /// A constellation.
    Constellation(i64),
    /// A region.
    Region(i64),
    /// A pilot, victim or attacker.
    Character(i64),
    /// A corporation.
    Corporation(i64),
    /// An alliance.
    Alliance(i64),
    /// A faction.
    Faction(i64),
    /// A ship flown or lost, by type.
    ShipType(i64),
    /// A ship flown or lost, by group.
    ShipGroup(i64),
}

/// An interest of a filter: its ids, the key they make, and roughly how often one of its ids turns up
/// (events in ten thousand). The estimate only decides what is looked up, never what is found.
type Interest<'a> = (&'a BTreeSet<i64>, fn(i64) -> Key, usize);

fn interests(filter: &Filter) -> [Interest<'_>; 9] {
    [
        (&filter.characters, Key::Character, 1),
        (&filter.systems, Key::System, 3),
        (&filter.corporations, Key::Corporation, 3),
        (&filter.constellations, Key::Constellation, 20),
        (&filter.alliances, Key::Alliance, 20),
        (&filter.ship_types, Key::ShipType, 50),
        (&filter.regions, Key::Region, 150),
        (&filter.ship_groups, Key::ShipGroup, 300),
        (&filter.factions, Key::Faction, 500),
    ]
}

/// The keys of which every event that the filter lets through has at least one; `None` when there are no
/// such keys, because the filter restricts neither place, participant nor ship.
pub(super) fn keys_of_filter(filter: &Filter) -> Option<Box<[Key]>> {
    let asked = interests(filter)
        .into_iter()
        .filter(|(ids, _, _)| !ids.is_empty());
    let keys: Box<[Key]> = match filter.match_mode {
        MatchMode::All => asked
            .min_by_key(|(ids, _, frequency)| ids.len().saturating_mul(*frequency))
            .map(|(ids, key, _)| ids.iter().copied().map(key).collect())?,
        MatchMode::Any => asked
            .flat_map(|(ids, key, _)| ids.iter().copied().map(key))
            .collect(),
    };
    (!keys.is_empty()).then_some(keys)
}

/// Every key of a killmail, each once.
pub(super) fn keys_of_facts(facts: &Facts) -> HashSet<Key> {
    let mut keys = HashSet::with_capacity(8 + facts.attackers.len() * 4);
    keys.insert(Key::System(facts.solar_system_id));
    keys.extend(facts.constellation_id.map(Key::Constellation));
    keys.extend(facts.region_id.map(Key::Region));
    for party in std::iter::once(&facts.victim).chain(&facts.attackers) {
        add_party(&mut keys, party);
    }
    keys
}

fn add_party(keys: &mut HashSet<Key>, party: &Party) {
    keys.extend(party.character_id.map(Key::Character));
    keys.extend(party.corporation_id.map(Key::Corporation));
    keys.extend(party.alliance_id.map(Key::Alliance));
    keys.extend(party.faction_id.map(Key::Faction));
    keys.extend(party.ship_type_id.map(Key::ShipType));
    keys.extend(party.ship_group_id.map(Key::ShipGroup));
}

/// The systems outside of which the filter lets nothing through; `None` when it may.
pub(super) fn only_systems(filter: &Filter) -> Option<Vec<i64>> {
    let alone = || {
        interests(filter)
            .into_iter()
            .filter(|(ids, _, _)| !ids.is_empty())
            .count()
            == 1
    };
    let bound = !filter.systems.is_empty() && (filter.match_mode == MatchMode::All || alone());
    bound.then(|| filter.systems.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::testing;

    proptest! {
        /// Looking up by key finds every filter that a full scan would find.
        #[test]
        fn no_match_without_a_common_key(
            killmail in testing::killmails(),
            filters in prop::collection::vec(testing::filters(), 1..20),
        ) {
            let event = testing::event(1, &killmail);
            let facts = event.facts().unwrap();
            let having = keys_of_facts(facts);
            for filter in filters.iter().filter(|filter| filter.matches(facts)) {
                if let Some(asking) = keys_of_filter(filter) {
                    prop_assert!(asking.iter().any(|key| having.contains(key)), "{filter:?}");
                }
                if let Some(systems) = only_systems(filter) {
                    prop_assert!(systems.contains(&facts.solar_system_id));
                }
            }
        }
    }

    #[test]
    fn the_rarest_interest_is_looked_up() {
        let filter = Filter {
            regions: [1].into(),
            characters: [7, 8].into(),
            ..Filter::default()
        };
        assert_eq!(
            keys_of_filter(&filter).as_deref(),
            Some(&[Key::Character(7), Key::Character(8)][..])
        );
    }

    #[test]
    fn a_filter_without_interests_has_no_keys() {
        let filter = Filter {
            min_value: Some(1e9),
            ..Filter::default()
        };
        assert_eq!(keys_of_filter(&filter), None);
    }
}
