//! Fuzzwork's CSV tables in their old and new format.

use csv::{QuoteStyle, WriterBuilder};

use crate::simulator::catalog::{
    CATEGORIES, CONSTELLATIONS, FACTIONS, GROUPS, REGIONS, ship_types, solar_systems,
};

const TYPES_OLD: &[&str] = &[
    "typeID",
    "groupID",
    "typeName",
    "description",
    "mass",
    "volume",
    "capacity",
    "portionSize",
    "raceID",
    "basePrice",
    "published",
    "marketGroupID",
    "iconID",
    "soundID",
    "graphicID",
];
/// The columns that the new format has behind the old ones.
const TYPES_NEW: &[&str] = &[
    "factionID",
    "metaLevel",
    "techLevel",
    "shipTreeGroupID",
    "packagedVolume",
    "isDynamicType",
    "isRepackable",
];
const GROUP_COLUMNS: &[&str] = &[
    "groupID",
    "categoryID",
    "groupName",
    "iconID",
    "useBasePrice",
    "anchored",
    "anchorable",
    "fittableNonSingleton",
    "published",
];
const SYSTEM_COLUMNS: &[&str] = &[
    "regionID",
    "constellationID",
    "solarSystemID",
    "solarSystemName",
    "x",
    "security",
    "factionID",
];
const CATEGORY_COLUMNS: &[&str] = &["categoryID", "categoryName", "iconID", "published"];

/// How a format writes what it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `None`, quotes only where they are needed.
    Old,
    /// Nothing between quotes, and a byte order mark in front.
    New,
}

/// A table as CSV; `None` where there is no such table. Of types and systems `percent` of the rows.
pub(super) fn file(name: &str, format: Format, percent: usize) -> Option<Vec<u8>> {
    let unknown = match format {
        Format::Old => "None",
        Format::New => "",
    };
    let table = match name {
        "invTypes.csv" => types_table(format, unknown, percent),
        "invGroups.csv" => groups_table(unknown),
        "invCategories.csv" => categories_table(unknown),
        "mapSolarSystems.csv" => systems_table(unknown, percent),
        "mapConstellations.csv" => constellations_table(),
        "mapRegions.csv" => regions_table(),
        "chrFactions.csv" => factions_table(),
        _ => return None,
    };
    match write(&table, format) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            tracing::error!(%error, "a table could not be written");
            None
        }
    }
}

type Table = Vec<Vec<String>>;

fn heading(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|it| (*it).to_owned()).collect()
}

fn types_table(format: Format, unknown: &str, percent: usize) -> Table {
    let mut head = heading(TYPES_OLD);
    if format == Format::New {
        head.extend(heading(TYPES_NEW));
    }
    let mut table = vec![head];
    for it in super::share(&ship_types(), percent) {
        let mut row = vec![
            it.type_id.to_string(),
            it.group_id.to_string(),
            it.name.clone(),
            "Simulated, \"as if\".\nSecond line.".to_owned(),
        ];
        let rest = if format == Format::New { 18 } else { 11 };
        for column in 0..rest {
            // Portion size is the 4th and `published` the 7th of the rest.
            row.push(match column {
                3 => "1".to_owned(),
                6 => i32::from(it.published).to_string(),
                _ => unknown.to_owned(),
            });
        }
        table.push(row);
    }
    table
}

fn groups_table(unknown: &str) -> Table {
    let rows = GROUPS.iter().map(|(id, name, category)| {
        let mut row = vec![id.to_string(), category.to_string(), (*name).to_owned()];
        row.push(unknown.to_owned());
        row.extend(["0", "0", "0", "0", "1"].map(str::to_owned));
        row
    });
    std::iter::once(heading(GROUP_COLUMNS))
        .chain(rows)
        .collect()
}

fn categories_table(unknown: &str) -> Table {
    let rows = CATEGORIES.iter().map(|(id, name)| {
        vec![
            id.to_string(),
            (*name).to_owned(),
            unknown.to_owned(),
            "1".to_owned(),
        ]
    });
    std::iter::once(heading(CATEGORY_COLUMNS))
        .chain(rows)
        .collect()
}

fn write(table: &Table, format: Format) -> Result<Vec<u8>, csv::Error> {
    let (start, quotes) = match format {
        Format::Old => (Vec::new(), QuoteStyle::Necessary),
        Format::New => ("\u{feff}".as_bytes().to_vec(), QuoteStyle::Always),
    };
    let mut writer = WriterBuilder::new().quote_style(quotes).from_writer(start);
    for row in table {
        writer.write_record(row)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

fn systems_table(unknown: &str, percent: usize) -> Table {
    let systems = solar_systems();
    let rows = super::share(&systems, percent).iter().map(|it| {
        vec![
            it.region_id.to_string(),
            it.constellation_id.to_string(),
            it.solar_system_id.to_string(),
            it.name.clone(),
            "0".to_owned(),
            it.security_status.to_string(),
            unknown.to_owned(),
        ]
    });
    std::iter::once(heading(SYSTEM_COLUMNS))
        .chain(rows)
        .collect()
}

fn constellations_table() -> Table {
    let rows = CONSTELLATIONS
        .iter()
        .map(|(id, name, region)| vec![region.to_string(), id.to_string(), (*name).to_owned()]);
    let head = heading(&["regionID", "constellationID", "constellationName"]);
    std::iter::once(head).chain(rows).collect()
}

fn regions_table() -> Table {
    let rows = REGIONS
        .iter()
        .map(|(id, name, _)| vec![id.to_string(), (*name).to_owned()]);
    let head = heading(&["regionID", "regionName"]);
    std::iter::once(head).chain(rows).collect()
}

fn factions_table() -> Table {
    let rows = FACTIONS
        .iter()
        .map(|(id, name)| vec![id.to_string(), (*name).to_owned()]);
    let head = heading(&["factionID", "factionName"]);
    std::iter::once(head).chain(rows).collect()
}
