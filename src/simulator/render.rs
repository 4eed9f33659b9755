//! A killmail in each shape that the upstreams send.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Number, Value, json};

use crate::domain::{Attacker, Item, Killmail, Zkb};

/// ESI's body: no hash, no zKillboard block. Optional fields are absent, never null.
pub fn esi(killmail: &Killmail) -> Value {
    let mut body = Map::new();
    let attackers = killmail.attackers.iter().map(attacker).collect();
    body.insert("attackers".to_owned(), Value::Array(attackers));
    body.insert("killmail_id".to_owned(), killmail.killmail_id.into());
    body.insert(
        "killmail_time".to_owned(),
        killmail
            .killmail_time
            .to_rfc3339_opts(SecondsFormat::Secs, true)
            .into(),
    );
    put(&mut body, "moon_id", killmail.moon_id);
    body.insert(
        "solar_system_id".to_owned(),
        killmail.solar_system_id.into(),
    );
    body.insert("victim".to_owned(), victim(killmail));
    put(&mut body, "war_id", killmail.war_id);
    Value::Object(body)
}

fn attacker(attacker: &Attacker) -> Value {
    let mut body = Map::new();
    put(&mut body, "alliance_id", attacker.alliance_id);
    put(&mut body, "character_id", attacker.character_id);
    put(&mut body, "corporation_id", attacker.corporation_id);
    body.insert("damage_done".to_owned(), attacker.damage_done.into());
    put(&mut body, "faction_id", attacker.faction_id);
    body.insert("final_blow".to_owned(), attacker.final_blow.into());
    body.insert(
        "security_status".to_owned(),
        number(attacker.security_status),
    );
    put(&mut body, "ship_type_id", attacker.ship_type_id);
    put(&mut body, "weapon_type_id", attacker.weapon_type_id);
    Value::Object(body)
}

fn victim(killmail: &Killmail) -> Value {
    let victim = &killmail.victim;
    let mut body = Map::new();
    put(&mut body, "alliance_id", victim.alliance_id);
    put(&mut body, "character_id", victim.character_id);
    put(&mut body, "corporation_id", victim.corporation_id);
    body.insert("damage_taken".to_owned(), victim.damage_taken.into());
    put(&mut body, "faction_id", victim.faction_id);
    body.insert("items".to_owned(), items(&victim.items));
    if let Some(at) = victim.position {
        let place = json!({"x": number(at.x), "y": number(at.y), "z": number(at.z)});
        body.insert("position".to_owned(), place);
    }
    put(&mut body, "ship_type_id", victim.ship_type_id);
    Value::Object(body)
}

fn items(list: &[Item]) -> Value {
    let rows = list.iter().map(|item| {
        let mut body = Map::new();
        body.insert("flag".to_owned(), item.flag.into());
        body.insert("item_type_id".to_owned(), item.item_type_id.into());
        if !item.items.is_empty() {
            body.insert("items".to_owned(), items(&item.items));
        }
        put(&mut body, "quantity_destroyed", item.quantity_destroyed);
        put(&mut body, "quantity_dropped", item.quantity_dropped);
        body.insert("singleton".to_owned(), item.singleton.into());
        Value::Object(body)
    });
    Value::Array(rows.collect())
}

fn put(body: &mut Map<String, Value>, key: &str, value: Option<i64>) {
    if let Some(value) = value {
        body.insert(key.to_owned(), value.into());
    }
}

/// PHP and JavaScript write whole doubles without a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only whole numbers below 2^53 come here"
)]
pub(crate) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        Value::from(value as i64)
    } else {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

/// The hash as every source writes it; empty where there is none.
pub(crate) fn hash(killmail: &Killmail) -> String {
    killmail.hash.map(|it| it.to_string()).unwrap_or_default()
}

/// zKillboard's block as its REST interface writes it.
pub fn zkb_block(killmail: &Killmail) -> Value {
    let none = Zkb::default();
    let zkb = killmail.zkb.as_ref().unwrap_or(&none);
    let mut body = Map::new();
    put(&mut body, "locationID", zkb.location_id);
    body.insert("hash".to_owned(), hash(killmail).into());
    let values = [
        ("fittedValue", zkb.fitted_value),
        ("droppedValue", zkb.dropped_value),
        ("destroyedValue", zkb.destroyed_value),
        ("totalValue", zkb.total_value),
        ("totalDroppableValue", zkb.total_droppable_value),
    ];
    for (key, value) in values {
        if let Some(value) = value {
            body.insert(key.to_owned(), number(value));
        }
    }
    put(&mut body, "points", zkb.points);
    for (key, flag) in [("npc", zkb.npc), ("solo", zkb.solo), ("awox", zkb.awox)] {
        if let Some(flag) = flag {
            body.insert(key.to_owned(), flag.into());
        }
    }
    if let Some(labels) = &zkb.labels {
        body.insert("labels".to_owned(), labels.clone().into());
    }
    Value::Object(body)
}

/// zKillboard's block with the extras that its live feeds add.
fn live_block(killmail: &Killmail) -> Value {
    let mut block = zkb_block(killmail);
    if let Some(body) = block.as_object_mut() {
        body.insert("attackerCount".to_owned(), killmail.attackers.len().into());
        let href = format!(
            "https://esi.evetech.net/killmails/{}/{}/",
            killmail.killmail_id,
            hash(killmail)
        );
        body.insert("href".to_owned(), href.into());
    }
    block
}

/// R2Z2's document. `updated` is the number of an earlier document that was uploaded again.
pub fn r2z2(
    killmail: &Killmail,
    sequence: i64,
    uploaded_at: DateTime<Utc>,
    updated: Option<i64>,
) -> Value {
    let mut body = json!({
        "killmail_id": killmail.killmail_id,
        "hash": hash(killmail),
        "esi": esi(killmail),
        "zkb": live_block(killmail),
        "uploaded_at": uploaded_at.timestamp(),
        "sequence_id": sequence,
    });
    if let (Some(body), Some(updated)) = (body.as_object_mut(), updated) {
        body.insert("sequence_updated".to_owned(), updated.into());
    }
    body
}

/// RedisQ's package; `with_body` as it was before December 2025.
pub fn redisq(killmail: &Killmail, with_body: bool) -> Value {
    let mut package = json!({"killID": killmail.killmail_id, "zkb": live_block(killmail)});
    if let (Some(package), true) = (package.as_object_mut(), with_body) {
        package.insert("killmail".to_owned(), esi(killmail));
    }
    json!({ "package": package })
}

/// An entry of EVE Ref's day archive: ESI's body with hash and time of the crawl.
pub fn everef(killmail: &Killmail) -> Value {
    let mut body = esi(killmail);
    if let Some(body) = body.as_object_mut() {
        body.insert("killmail_hash".to_owned(), hash(killmail).into());
        let crawled = killmail.killmail_time + chrono::Duration::hours(15);
        let crawled = crawled.to_rfc3339_opts(SecondsFormat::Secs, true);
        body.insert("http_last_modified".to_owned(), crawled.into());
    }
    body
}

/// An element of zKillboard's REST lists.
pub fn zkb_element(killmail: &Killmail) -> Value {
    let mut body = esi(killmail);
    if let Some(body) = body.as_object_mut() {
        body.insert("zkb".to_owned(), zkb_block(killmail));
    }
    body
}

/// An element of zKillboard's lists as it was until June 2026: id and values.
pub fn zkb_reference(killmail: &Killmail) -> Value {
    json!({ "killmail_id": killmail.killmail_id, "zkb": zkb_block(killmail) })
}

/// The flat form of relays: ESI's fields with zKillboard's live block beside them.
pub fn flat(killmail: &Killmail) -> Value {
    let mut body = esi(killmail);
    if let Some(body) = body.as_object_mut() {
        body.insert("zkb".to_owned(), live_block(killmail));
    }
    body
}
