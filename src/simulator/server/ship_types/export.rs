//! CCP's export.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::simulator::catalog::{
    CATEGORIES, CONSTELLATIONS, FACTIONS, GROUPS, NPC_CORPORATIONS, REGIONS, ship_types,
    solar_systems,
};
use crate::simulator::edition::Edition;

/// What the zip holds.
const MEMBERS: [&str; 9] = [
    "_sde.jsonl",
    "types.jsonl",
    "groups.jsonl",
    "categories.jsonl",
    "mapSolarSystems.jsonl",
    "mapConstellations.jsonl",
    "mapRegions.jsonl",
    "factions.jsonl",
    "npcCorporations.jsonl",
];

/// A file of the export, or the zip of the edition's build; `None` where there is no such file.
pub(super) fn file(name: &str, edition: &Edition) -> Option<Vec<u8>> {
    let zip = format!("eve-online-static-data-{}-jsonl.zip", edition.build);
    if name != zip {
        return member(name, edition);
    }
    match pack(edition) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            tracing::error!(%error, "the export could not be packed");
            None
        }
    }
}

fn pack(edition: &Edition) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in MEMBERS {
        zip.start_file(name, options)?;
        zip.write_all(&member(name, edition).unwrap_or_default())?;
    }
    Ok(zip.finish()?.into_inner())
}

fn member(name: &str, edition: &Edition) -> Option<Vec<u8>> {
    let rows: Vec<Value> = match name {
        "latest.jsonl" | "_sde.jsonl" => vec![json!({
            "_key": "sde",
            "buildNumber": edition.build,
            "releaseDate": "2026-10-26T11:07:12Z",
        })],
        "types.jsonl" => types(edition),
        "groups.jsonl" => GROUPS
            .iter()
            .map(|(id, name, category)| {
                json!({"_key": id, "categoryID": category, "name": {"en": name}, "published": true})
            })
            .collect(),
        "categories.jsonl" => CATEGORIES
            .iter()
            .map(|(id, name)| json!({"_key": id, "name": {"en": name}, "published": true}))
            .collect(),
        "mapSolarSystems.jsonl" => systems(edition),
        "mapConstellations.jsonl" => CONSTELLATIONS
            .iter()
            .map(|(id, name, region)| json!({"_key": id, "name": {"en": name}, "regionID": region}))
            .collect(),
        "mapRegions.jsonl" => REGIONS.iter().map(region).collect(),
        "factions.jsonl" => FACTIONS
            .iter()
            .map(|(id, name)| json!({"_key": id, "name": {"de": name, "en": name}}))
            .collect(),
        "npcCorporations.jsonl" => NPC_CORPORATIONS
            .iter()
            .map(|(id, name, _)| {
                json!({"_key": id, "name": {"en": name}, "tickerName": format!("NPC{}", id % 1_000)})
            })
            .collect(),
        _ => return None,
    };
    let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
    Some(lines.concat().into_bytes())
}

fn types(edition: &Edition) -> Vec<Value> {
    let types = ship_types();
    super::share(&types, edition.percent)
        .iter()
        .map(|it| {
            json!({
                "_key": it.type_id,
                "groupID": it.group_id,
                "name": {"en": it.name},
                "portionSize": 1,
                "published": it.published,
            })
        })
        .collect()
}

/// Known space has its class on the system; the rest inherits that of its region.
fn systems(edition: &Edition) -> Vec<Value> {
    let systems = solar_systems();
    super::share(&systems, edition.percent)
        .iter()
        .map(|it| {
            let own = it.wormhole_class.filter(|class| matches!(class, 7..=9));
            json!({
                "_key": it.solar_system_id,
                "name": {"en": it.name},
                "constellationID": it.constellation_id,
                "regionID": it.region_id,
                "securityStatus": it.security_status,
                "wormholeClassID": own,
            })
        })
        .collect()
}

fn region((id, name, class): &(i64, &str, i64)) -> Value {
    let class = Some(class).filter(|class| **class != 0);
    json!({"_key": id, "name": {"en": name}, "wormholeClassID": class})
}
