//! Wanderer's rules for what it takes from the killmails channel, as an oracle.

use serde_json::{Map, Value};

/// What Wanderer makes of one killmail.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MapKill {
    pub(crate) killmail_id: i64,
    pub(crate) solar_system_id: i64,
    pub(crate) kill_time: Value,
    pub(crate) attacker_count: usize,
    pub(crate) total_value: Option<f64>,
    pub(crate) npc: Option<bool>,
    pub(crate) victim: MapParty,
    pub(crate) final_blow: Option<MapParty>,
}

/// What it makes of a victim, or of who struck last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MapParty {
    pub(crate) character_id: Option<i64>,
    pub(crate) character_name: Option<String>,
    pub(crate) corporation_id: Option<i64>,
    pub(crate) corporation_name: Option<String>,
    pub(crate) corporation_ticker: Option<String>,
    pub(crate) alliance_id: Option<i64>,
    pub(crate) alliance_name: Option<String>,
    pub(crate) alliance_ticker: Option<String>,
    pub(crate) ship_type_id: Option<i64>,
    pub(crate) ship_name: Option<String>,
}

/// Reads a `killmail_update` payload as Wanderer does.
pub(crate) fn update(payload: &Value) -> Result<Vec<MapKill>, String> {
    let system = number(&payload["system_id"]).ok_or("no system_id")?;
    if !(30_000_001..33_000_000).contains(&system) {
        return Err(format!("system {system} is out of range"));
    }
    let killmails = payload["killmails"].as_array().ok_or("no killmails")?;
    killmails.iter().map(kill).collect()
}

/// Reads a `kill_count_update` payload as Wanderer does.
pub(crate) fn count(payload: &Value) -> Result<(i64, i64), String> {
    let system = number(&payload["system_id"]).ok_or("no system_id")?;
    let count = payload["count"].as_i64().filter(|count| *count >= 0);
    Ok((system, count.ok_or("no absolute count")?))
}

/// Reads one killmail of an update as Wanderer does.
pub(crate) fn kill(killmail: &Value) -> Result<MapKill, String> {
    let fields = killmail.as_object().ok_or("a killmail is no object")?;
    for foreign in ["killID", "victim_char_id"] {
        if fields.contains_key(foreign) {
            return Err(format!("{foreign} switches to another parser"));
        }
    }
    let killmail_id = fields.get("killmail_id").and_then(number);
    let killmail_id = killmail_id.filter(|id| *id > 0).ok_or("no killmail_id")?;
    let kill_time = fields.get("kill_time").ok_or("no kill_time")?.clone();
    let victim = fields.get("victim").and_then(Value::as_object);
    let attackers = killmail["attackers"].as_array();
    let attackers = attackers.map_or(&[][..], Vec::as_slice);
    let final_blow = attackers
        .iter()
        .find(|attacker| attacker["final_blow"] == true)
        .and_then(Value::as_object);
    let zkb = &killmail["zkb"];
    Ok(MapKill {
        killmail_id,
        solar_system_id: fields
            .get("solar_system_id")
            .or_else(|| fields.get("system_id"))
            .and_then(number)
            .ok_or("no system")?,
        kill_time,
        attacker_count: attackers.len(),
        total_value: zkb["total_value"]
            .as_f64()
            .or_else(|| zkb["totalValue"].as_f64()),
        npc: zkb["npc"].as_bool(),
        victim: party(victim.ok_or("no victim")?, "victim_name"),
        final_blow: final_blow.map(|attacker| party(attacker, "attacker_name")),
    })
}

fn party(fields: &Map<String, Value>, name: &str) -> MapParty {
    let text = |names: &[&str], nested: Option<(&str, &str)>| {
        let flat = names.iter().find_map(|name| fields.get(*name)?.as_str());
        let nested = || {
            let (object, field) = nested?;
            fields.get(object)?.get(field)?.as_str()
        };
        flat.or_else(nested).map(str::to_owned)
    };
    let id = |name: &str| fields.get(name).and_then(number);
    MapParty {
        character_id: id("character_id"),
        character_name: text(
            &[name, "character_name", "name"],
            Some(("character", "name")),
        ),
        corporation_id: id("corporation_id"),
        corporation_name: text(
            &["corporation_name", "corp_name"],
            Some(("corporation", "name")),
        ),
        corporation_ticker: text(
            &["corporation_ticker", "corp_ticker"],
            Some(("corporation", "ticker")),
        ),
        alliance_id: id("alliance_id"),
        alliance_name: text(&["alliance_name"], Some(("alliance", "name"))),
        alliance_ticker: text(&["alliance_ticker"], Some(("alliance", "ticker"))),
        ship_type_id: id("ship_type_id"),
        ship_name: text(&["ship_name", "ship_type_name"], None),
    }
}

/// A whole number, also as text.
fn number(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}
