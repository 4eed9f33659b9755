//! A small world of real ids and names, so that generated killmails look like the game's.
//!
//! Prices and hit points are typical figures; pilots, corporations and alliances are invented.

mod classes;
mod groups;
mod hulls;
mod npcs;
mod population;
pub(crate) mod reserve;
mod systems;
mod wares;
mod words;

pub(crate) use classes::{CLASSES, Class};
pub(crate) use groups::{CATEGORIES, GROUPS};
pub(crate) use hulls::{HULLS, Hull};
pub(crate) use npcs::{FACTIONS, NPC_CORPORATIONS, NPC_SHIPS, NpcShip};
pub(crate) use population::{Pilot, population};
pub(crate) use systems::{CONSTELLATIONS, REGIONS, SYSTEMS, System};
pub(crate) use wares::{Place, WARES, Ware};

use crate::domain::{EntityKey, EntityKind, EntityName, ShipType, SolarSystem};

/// The capsule that a pilot is left with.
pub const CAPSULE: i64 = 670;

/// The group of capsules.
pub(crate) const GROUP_CAPSULE: i64 = 29;

/// Every type that a generated killmail can mention, by id, each once.
pub fn ship_types() -> Vec<ShipType> {
    let hulls = HULLS.iter().map(|it| (it.type_id, it.name, it.group_id));
    let wares = WARES.iter().map(|it| (it.type_id, it.name, it.group_id));
    let npcs = NPC_SHIPS
        .iter()
        .map(|it| (it.type_id, it.name, it.group_id));
    let mut types: Vec<ShipType> = hulls
        .chain(wares)
        .chain(npcs)
        .map(|(type_id, name, group_id)| ship_type(type_id, name, group_id))
        .collect();
    types.sort_by_key(|it| it.type_id);
    types.dedup_by_key(|it| it.type_id);
    types
}

fn ship_type(type_id: i64, name: &str, group_id: i64) -> ShipType {
    let (group_name, category_id) = group(group_id).unwrap_or(("Unknown", 0));
    ShipType {
        type_id,
        name: name.to_owned(),
        group_id,
        group_name: group_name.to_owned(),
        category_id,
        category_name: category(category_id).unwrap_or("Unknown").to_owned(),
        published: category_id != CATEGORY_ENTITY,
    }
}

/// NPC ships: in the game, but not to be owned.
const CATEGORY_ENTITY: i64 = 11;

/// Name and category of a group.
pub(crate) fn group(group_id: i64) -> Option<(&'static str, i64)> {
    GROUPS
        .iter()
        .find(|(id, ..)| *id == group_id)
        .map(|(_, name, category)| (*name, *category))
}

/// Name of a category.
pub(crate) fn category(category_id: i64) -> Option<&'static str> {
    CATEGORIES
        .iter()
        .find(|(id, _)| *id == category_id)
        .map(|(_, name)| *name)
}

/// Price, hit points and slots of a group.
pub(crate) fn class(group_id: i64) -> Option<&'static Class> {
    CLASSES.iter().find(|it| it.group_id == group_id)
}

/// A hull by its type id.
pub(crate) fn hull(type_id: i64) -> Option<&'static Hull> {
    HULLS.iter().find(|it| it.type_id == type_id)
}

/// A solar system by its id.
pub(crate) fn system(id: i64) -> Option<&'static System> {
    SYSTEMS.iter().find(|it| it.id == id)
}

/// Name and region of a constellation.
pub(crate) fn constellation(id: i64) -> Option<(&'static str, i64)> {
    CONSTELLATIONS
        .iter()
        .find(|(it, ..)| *it == id)
        .map(|(_, name, region)| (*name, *region))
}

/// Name and wormhole class (0 for none) of a region.
pub(crate) fn region(id: i64) -> Option<(&'static str, i64)> {
    REGIONS
        .iter()
        .find(|(it, ..)| *it == id)
        .map(|(_, name, class)| (*name, *class))
}

/// Every solar system that a generated killmail can happen in, by id.
pub fn solar_systems() -> Vec<SolarSystem> {
    SYSTEMS.iter().map(solar_system).collect()
}

fn solar_system(system: &System) -> SolarSystem {
    let (constellation_name, region_id) =
        constellation(system.constellation_id).unwrap_or(("Unknown", 0));
    let (region_name, class) = region(region_id).unwrap_or(("Unknown", 0));
    SolarSystem {
        solar_system_id: system.id,
        name: system.name.to_owned(),
        constellation_id: system.constellation_id,
        constellation_name: constellation_name.to_owned(),
        region_id,
        region_name: region_name.to_owned(),
        security_status: system.security_status,
        wormhole_class: match class {
            0 => by_security(system),
            class => Some(class),
        },
    }
}

/// The static data gives known space the classes 7 (high), 8 (low) and 9 (null security).
fn by_security(system: &System) -> Option<i64> {
    if system.id >= 32_000_000 {
        None
    } else if system.security_status >= 0.45 {
        Some(7)
    } else if system.security_status > 0.0 {
        Some(8)
    } else {
        Some(9)
    }
}

/// Names of everyone who can take part in a generated killmail, with tickers where they have one.
pub fn names() -> Vec<(EntityKey, EntityName)> {
    let people = population();
    let entry = |kind, id, name: &str, ticker: Option<&str>| {
        let name = EntityName {
            name: name.to_owned(),
            ticker: ticker.map(str::to_owned),
        };
        (EntityKey { kind, id }, name)
    };
    let pilots = people
        .pilots
        .iter()
        .map(|it| entry(EntityKind::Character, it.id, &it.name, None));
    let corporations = people.corporations.iter().map(|it| {
        let ticker = Some(it.ticker.as_str());
        entry(EntityKind::Corporation, it.id, &it.name, ticker)
    });
    let alliances = people.alliances.iter().map(|it| {
        let ticker = Some(it.ticker.as_str());
        entry(EntityKind::Alliance, it.id, &it.name, ticker)
    });
    let npc_corporations = NPC_CORPORATIONS
        .iter()
        .map(|(id, name, _)| entry(EntityKind::Corporation, *id, name, None));
    let factions = FACTIONS
        .iter()
        .map(|(id, name)| entry(EntityKind::Faction, *id, name, None));
    pilots
        .chain(corporations)
        .chain(alliances)
        .chain(npc_corporations)
        .chain(factions)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_type_has_group_and_category() {
        let types = ship_types();
        assert!(types.len() > 280, "{} types", types.len());
        for it in types {
            assert_ne!(it.group_name, "Unknown", "{}", it.name);
            assert_ne!(it.category_name, "Unknown", "{}", it.name);
        }
        for hull in HULLS {
            assert!(class(hull.group_id).is_some(), "{}", hull.name);
        }
    }

    #[test]
    fn every_system_has_constellation_and_region() {
        for it in solar_systems() {
            assert_ne!(it.constellation_name, "Unknown", "{}", it.name);
            assert_ne!(it.region_name, "Unknown", "{}", it.name);
        }
    }

    #[test]
    fn names_are_distinct_within_their_kind() {
        let names = names();
        let keys: HashSet<_> = names.iter().map(|(key, _)| *key).collect();
        let words: HashSet<_> = names
            .iter()
            .map(|(key, name)| (key.kind, name.name.clone()))
            .collect();
        assert_eq!(keys.len(), names.len());
        assert_eq!(words.len(), names.len());
        let tickers: Vec<_> = names
            .iter()
            .filter_map(|(key, name)| name.ticker.clone().map(|it| (key.kind, it)))
            .collect();
        assert_eq!(tickers.iter().collect::<HashSet<_>>().len(), tickers.len());
    }
}
