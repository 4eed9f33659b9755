//! Real killmails, which lie beside the project where there are any: never part of it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt;

/// File and how many killmails it holds.
pub(crate) const FILES: [(&str, usize); 18] = [
    ("esi/killmails-2021-11-28.jsonl.gz", 16_511),
    ("esi/killmails-2021-11-29.jsonl.gz", 10_438),
    ("esi/killmails-2021-11-30.jsonl.gz", 11_354),
    ("esi/killmails-2021-12-03.jsonl.gz", 4_064),
    ("esi/shrike-corpus.jsonl.gz", 47),
    ("esi/allianceauth-81973979.json", 1),
    ("esi/zkillquery-132377263.json", 1),
    ("r2z2/zkill-bot-134435757.json", 1),
    ("r2z2/killstats-138705184.json", 1),
    ("r2z2/shrike-900001.json", 1),
    ("redisq/killmail-router-payload1.json", 1),
    ("redisq/killmail-router-payload2-edited.json", 1),
    ("redisq/eve-verbose-killmail.jsonl", 3),
    ("zkb-api/killstats-zkb-http.json", 2),
    ("zkb-api/elit-kellyl_kills.json.gz", 197),
    ("zkb-api/elit-kellyl_losses.json.gz", 28),
    ("zkb-api/killboard-analyzer-70070190.json", 1),
    ("zkb-api/killmail-hunter.jsonl", 2),
];
pub(crate) const DISTINCT: usize = 42_652;

/// The folder of real killmails; it lies beside the project and is not part of it.
pub(crate) fn data() -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    folder.is_dir().then(|| folder.to_owned())
}

pub(crate) async fn read(path: &Path) -> Vec<u8> {
    let bytes = tokio::fs::read(path).await.unwrap();
    if path.extension().unwrap() != "gz" {
        return bytes;
    }
    let mut decoder = async_compression::tokio::bufread::GzipDecoder::new(bytes.as_slice());
    let mut text = Vec::new();
    decoder.read_to_end(&mut text).await.unwrap();
    text
}

/// The documents of a file: an object, a list of objects, or one object a line.
pub(crate) fn documents(text: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(text) {
        Ok(Value::Array(list)) => list,
        Ok(document) => vec![document],
        Err(_) => text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect(),
    }
}

/// The document as it has to come out, made from the source without any code of ours.
pub(crate) fn expected(source: &Value) -> Value {
    let wrapper = source.get("package").unwrap_or(source);
    let body = wrapper.get("esi").or_else(|| wrapper.get("killmail"));
    let mut document = body.unwrap_or(wrapper).as_object().unwrap().clone();
    let mut zkb = wrapper.get("zkb").cloned().unwrap_or_else(|| json!({}));
    let values = zkb.as_object_mut().unwrap();
    // Links, a count of the list beside it, and whether the victim's type is a ship.
    for key in ["href", "url", "esi", "attackerCount", "isShip"] {
        values.remove(key);
    }
    if let Some(hash) = document.remove("killmail_hash") {
        values.insert("hash".to_owned(), hash);
    }
    document.remove("zkb");
    document.remove("http_last_modified");
    if !values.is_empty() {
        document.insert("zkb".to_owned(), zkb);
    }
    let time = document.remove("killmail_time").unwrap();
    document.insert("kill_time".to_owned(), time);
    let system = document["solar_system_id"].clone();
    document.insert("system_id".to_owned(), system);
    let attackers = document["attackers"].as_array().unwrap().len();
    document.insert("attacker_count".to_owned(), json!(attackers));
    document.retain(|key, value| key != "war_id" || *value != json!(0));
    let victim = document["victim"].as_object_mut().unwrap();
    victim.entry("items").or_insert_with(|| json!([]));
    Value::Object(document)
}

/// Equal, where `1` and `1.0` are the same number.
pub(crate) fn same(expected: &Value, actual: &Value, place: &str) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            assert_eq!(keys(expected), keys(actual), "{place}");
            for (key, value) in expected {
                same(value, &actual[key], &format!("{place}.{key}"));
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            assert_eq!(expected.len(), actual.len(), "{place}");
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                same(expected, actual, &format!("{place}[{index}]"));
            }
        }
        (Value::Number(number), Value::Number(other)) if number.is_f64() || other.is_f64() => {
            assert_eq!(
                number.as_f64().unwrap().to_bits(),
                other.as_f64().unwrap().to_bits(),
                "{place}"
            );
        }
        _ => assert_eq!(expected, actual, "{place}"),
    }
}

fn keys(map: &Map<String, Value>) -> Vec<&String> {
    map.keys().collect()
}

/// Tables of the game's static data that know every ship and place of the killmails.
pub(crate) const TABLES: [&str; 7] = [
    "sde/invTypes-2026-10-fuzzwork-layout.csv.gz",
    "sde/invGroups-2026-10-fuzzwork-layout.csv",
    "sde/invCategories-2026-01.csv",
    "sde/mapSolarSystems-2026-01.csv.gz",
    "sde/mapConstellations-2026-01.csv",
    "sde/mapRegions-2026-01.csv",
    "sde/chrFactions-2026-01.csv",
];

const ADDED_TO_PLACE: [&str; 6] = [
    "solar_system_name",
    "constellation_id",
    "constellation_name",
    "region_id",
    "region_name",
    "security_status",
];
const ADDED_TO_PARTY: [&str; 10] = [
    "character_name",
    "corporation_name",
    "corporation_ticker",
    "alliance_name",
    "alliance_ticker",
    "faction_name",
    "ship_name",
    "ship_group_id",
    "ship_group_name",
    "weapon_name",
];

/// A served document without what enrichment has added.
pub(crate) fn facts_only(mut document: Value) -> Value {
    let attackers = document["attackers"].take();
    let without = |mut party: Value| {
        if let Some(party) = party.as_object_mut() {
            party.retain(|key, _| !ADDED_TO_PARTY.contains(&key.as_str()));
        }
        party
    };
    let attackers: Vec<Value> = (attackers.as_array().unwrap().iter().cloned())
        .map(without)
        .collect();
    document["attackers"] = attackers.into();
    document["victim"] = without(document["victim"].take());
    let document = document.as_object_mut().unwrap();
    document.retain(|key, _| !ADDED_TO_PLACE.contains(&key.as_str()));
    Value::Object(document.clone())
}
