//! ESI's body: who lost what, where and when, and to whom.

use serde_json_borrow::{ObjectAsVec as Map, Value};

use super::ParseError;
use super::node::{Object, Path};
use super::scalar;
use crate::domain::ids::KillmailHash;
use crate::domain::killmail::{Attacker, Item, Killmail, Position, Victim, Zkb};

/// The most attackers of one killmail: twice the 10,000 that ESI itself has ever promised.
pub const MAX_ATTACKERS: usize = 20_000;
/// The most stacks of items of one killmail, nested ones counted: over twice ESI's 10,000 + 10,000.
pub const MAX_ITEMS: usize = 50_000;
/// How deep items may nest. The game nests once; the limit bounds recursion.
pub const MAX_ITEM_DEPTH: usize = 8;

/// What the wrapper around a body has settled already.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) killmail_id: i64,
    pub(super) hash: Option<KillmailHash>,
    pub(super) zkb: Option<Zkb>,
}

/// Reads a body, also under the names of our own canonical document (`kill_time`, `system_id`).
pub(super) fn read(body: Object<'_, '_>, known: Known) -> Result<Killmail, ParseError> {
    let either = |name: &'static str, alias: &'static str| {
        if body.get(name).is_none() && body.get(alias).is_some() {
            alias
        } else {
            name
        }
    };
    Ok(Killmail {
        killmail_id: known.killmail_id,
        hash: known.hash,
        killmail_time: body.required(
            either("killmail_time", "kill_time"),
            "an RFC 3339 time of the years 2000 to 2099",
            scalar::time,
        )?,
        solar_system_id: body.required(
            either("solar_system_id", "system_id"),
            "a whole number greater than 0",
            |value| scalar::integer(value).filter(|id| *id > 0),
        )?,
        moon_id: body.id("moon_id")?,
        war_id: body.id("war_id")?,
        victim: victim(body)?,
        attackers: attackers(body)?,
        zkb: known.zkb,
    })
}

fn victim(body: Object<'_, '_>) -> Result<Victim, ParseError> {
    let map = body.required("victim", "an object", Value::as_object)?;
    let path = Path::Key(body.path, "victim");
    let victim = Object { path: &path, map };
    let mut count = 0;
    Ok(Victim {
        character_id: victim.id("character_id")?,
        corporation_id: victim.id("corporation_id")?,
        alliance_id: victim.id("alliance_id")?,
        faction_id: victim.id("faction_id")?,
        ship_type_id: victim.id("ship_type_id")?,
        damage_taken: victim.integer("damage_taken")?.unwrap_or_default(),
        position: position(victim)?,
        items: items(victim, MAX_ITEM_DEPTH, &mut count)?,
    })
}

fn position(victim: Object<'_, '_>) -> Result<Option<Position>, ParseError> {
    let Some(map) = victim.object("position", "an object with x, y and z")? else {
        return Ok(None);
    };
    let path = Path::Key(victim.path, "position");
    let position = Object { path: &path, map };
    let axis = |key| position.required(key, "a number", scalar::float);
    Ok(Some(Position {
        x: axis("x")?,
        y: axis("y")?,
        z: axis("z")?,
    }))
}

/// Reads `items` of a victim or a container; `depth` is how many levels may follow, `count` how many
/// stacks there have been.
fn items(owner: Object<'_, '_>, depth: usize, count: &mut usize) -> Result<Vec<Item>, ParseError> {
    let Some(value) = owner.get("items") else {
        return Ok(Vec::new());
    };
    let list = list(value).ok_or_else(|| owner.refuse("items", "a list"))?;
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let Some(deeper) = depth.checked_sub(1) else {
        return Err(owner.refuse("items", "nothing below 8 levels of items"));
    };
    *count += list.len();
    if *count > MAX_ITEMS {
        return Err(owner.refuse("items", "at most 50000 stacks on one killmail"));
    }
    let path = Path::Key(owner.path, "items");
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            let path = Path::Index(&path, index);
            let item = Object {
                path: &path,
                map: element(&path, value)?,
            };
            Ok(Item {
                item_type_id: item.required(
                    "item_type_id",
                    "a whole number, 0 or greater",
                    |value| scalar::integer(value).filter(|id| *id >= 0),
                )?,
                flag: item.integer("flag")?.unwrap_or_default(),
                singleton: item.integer("singleton")?.unwrap_or_default(),
                quantity_destroyed: item.integer("quantity_destroyed")?,
                quantity_dropped: item.integer("quantity_dropped")?,
                items: items(item, deeper, count)?,
            })
        })
        .collect()
}

fn attackers(body: Object<'_, '_>) -> Result<Vec<Attacker>, ParseError> {
    let list = body.required("attackers", "a list", list)?;
    if list.len() > MAX_ATTACKERS {
        return Err(body.refuse("attackers", "a list of at most 20000"));
    }
    let path = Path::Key(body.path, "attackers");
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            let path = Path::Index(&path, index);
            attacker(Object {
                path: &path,
                map: element(&path, value)?,
            })
        })
        .collect()
}

fn attacker(attacker: Object<'_, '_>) -> Result<Attacker, ParseError> {
    Ok(Attacker {
        character_id: attacker.id("character_id")?,
        corporation_id: attacker.id("corporation_id")?,
        alliance_id: attacker.id("alliance_id")?,
        faction_id: attacker.id("faction_id")?,
        ship_type_id: attacker.id("ship_type_id")?,
        weapon_type_id: attacker.id("weapon_type_id")?,
        damage_done: attacker.integer("damage_done")?.unwrap_or_default(),
        final_blow: attacker.flag("final_blow")?.unwrap_or_default(),
        security_status: attacker.float("security_status")?.unwrap_or_default(),
    })
}

/// A list; an empty object is one too, as PHP may write it.
fn list<'v>(value: &'v Value<'v>) -> Option<&'v [Value<'v>]> {
    match value {
        Value::Array(list) => Some(list),
        Value::Object(map) if map.is_empty() => Some(&[]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Object(_) => None,
    }
}

/// An element of a list of objects.
fn element<'v>(path: &Path<'_>, value: &'v Value<'v>) -> Result<&'v Map<'v>, ParseError> {
    value.as_object().ok_or_else(|| ParseError::Field {
        field: path.to_string(),
        value: super::node::quoted(value),
        allowed: "an object",
    })
}
