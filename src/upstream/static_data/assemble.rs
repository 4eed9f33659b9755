//! Joins the tables of one origin.

use super::error::{Error, Result};
use super::kind::Kind;
use super::rows::{Row, Tables};
use super::{ReferenceData, RowsRead};
use crate::domain::{EntityKey, EntityKind, EntityName, ShipType, SolarSystem};

/// The table that is missing where another one is there.
const NEEDED: [(Kind, Kind, &str); 4] = [
    (
        Kind::ShipTypes,
        Kind::Groups,
        "types without a table of groups (invGroups.csv, groups.jsonl)",
    ),
    (
        Kind::ShipTypes,
        Kind::Categories,
        "types without a table of categories (invCategories.csv, categories.jsonl)",
    ),
    (
        Kind::SolarSystems,
        Kind::Constellations,
        "systems without a table of constellations (mapConstellations.csv or .jsonl)",
    ),
    (
        Kind::SolarSystems,
        Kind::Regions,
        "systems without a table of regions (mapRegions.csv or .jsonl)",
    ),
];

/// Joins tables.
///
/// # Errors
/// When a table that names others is there without them, or nothing is there that can be stored.
pub(super) fn assemble(
    tables: &Tables,
    origin: String,
    version: Option<String>,
) -> Result<ReferenceData> {
    for (kind, needs, why) in NEEDED {
        if tables.count(kind) > 0 && tables.count(needs) == 0 {
            return Err(Error::refused(origin, None, why));
        }
    }
    let data = ReferenceData {
        ship_types: tables
            .rows(Kind::ShipTypes)
            .map(|(row, _)| ship_type(row, tables))
            .collect(),
        solar_systems: tables
            .rows(Kind::SolarSystems)
            .map(|(row, place)| solar_system(row, tables).map_err(|why| place.refuse(why)))
            .collect::<Result<_>>()?,
        names: names(tables),
        version: version.or_else(|| tables.build.map(|build| build.to_string())),
        read: rows_read(tables),
        origin,
    };
    if data.ship_types.is_empty() && data.solar_systems.is_empty() && data.names.is_empty() {
        let why = "neither types nor systems, factions or corporations";
        return Err(Error::refused(data.origin, None, why));
    }
    Ok(data)
}

fn rows_read(tables: &Tables) -> RowsRead {
    RowsRead {
        ship_types: tables.count(Kind::ShipTypes),
        groups: tables.count(Kind::Groups),
        categories: tables.count(Kind::Categories),
        solar_systems: tables.count(Kind::SolarSystems),
        constellations: tables.count(Kind::Constellations),
        regions: tables.count(Kind::Regions),
        names: tables.count(Kind::Factions) + tables.count(Kind::NpcCorporations),
        skipped: tables.skipped,
    }
}

/// The name of a row, or what it is and its id.
fn name_of(tables: &Tables, kind: Kind, id: i64) -> String {
    tables
        .get(kind, id)
        .and_then(|row| row.name.clone())
        .unwrap_or_else(|| {
            let noun = kind.layout().noun;
            let mut letters = noun.chars();
            let first: String = letters
                .next()
                .iter()
                .flat_map(|letter| letter.to_uppercase())
                .collect();
            format!("{first}{} {id}", letters.as_str())
        })
}

/// A type whose group is unknown is kept: its name is worth more than none.
fn ship_type(row: &Row, tables: &Tables) -> ShipType {
    let group_id = row.parent_id.unwrap_or_default();
    let category_id = tables
        .get(Kind::Groups, group_id)
        .and_then(|group| group.parent_id)
        .unwrap_or_default();
    ShipType {
        type_id: row.id,
        name: name_of(tables, Kind::ShipTypes, row.id),
        group_id,
        group_name: name_of(tables, Kind::Groups, group_id),
        category_id,
        category_name: name_of(tables, Kind::Categories, category_id),
        published: row.published,
    }
}

fn solar_system(row: &Row, tables: &Tables) -> Result<SolarSystem, String> {
    let constellation_id = row.parent_id.unwrap_or_default();
    let constellation = tables.get(Kind::Constellations, constellation_id);
    let region_id = row
        .region_id
        .or_else(|| constellation.and_then(|it| it.parent_id))
        .ok_or_else(|| {
            format!(
                "system {} lies in constellation {constellation_id}, whose region is not known",
                row.id
            )
        })?;
    Ok(SolarSystem {
        solar_system_id: row.id,
        name: name_of(tables, Kind::SolarSystems, row.id),
        constellation_id,
        constellation_name: name_of(tables, Kind::Constellations, constellation_id),
        region_id,
        region_name: name_of(tables, Kind::Regions, region_id),
        security_status: row.security_status,
        wormhole_class: wormhole_class(tables, [row.id, constellation_id, region_id]),
    })
}

/// The class of the system itself, else of its constellation, else of its region.
fn wormhole_class(tables: &Tables, [system, constellation, region]: [i64; 3]) -> Option<i64> {
    let places = [
        (Kind::SolarSystems, system),
        (Kind::Constellations, constellation),
        (Kind::Regions, region),
    ];
    places.into_iter().find_map(|(kind, id)| {
        let own = tables.get(kind, id).and_then(|row| row.wormhole_class);
        let listed = || tables.get(Kind::WormholeClasses, id)?.wormhole_class;
        own.or_else(listed)
    })
}

/// Factions and NPC corporations that have a name.
fn names(tables: &Tables) -> Vec<(EntityKey, EntityName)> {
    let kinds = [
        (Kind::Factions, EntityKind::Faction),
        (Kind::NpcCorporations, EntityKind::Corporation),
    ];
    kinds
        .into_iter()
        .flat_map(|(table, kind)| tables.rows(table).map(move |(row, _)| (kind, row)))
        .filter_map(|(kind, row)| {
            let name = EntityName {
                name: row.name.clone()?,
                ticker: row.ticker.clone(),
            };
            Some((EntityKey { kind, id: row.id }, name))
        })
        .collect()
}
