//! A killmail as the upstreams write it: ESI's body, and zKillboard's block beside it.
//!
//! For tools that were made for those. Absent values are left out, never null; names are not part of it.

use chrono::SecondsFormat;
use serde::{Serialize, Serializer};

use super::items;
use crate::domain::ids::KillmailHash;
use crate::domain::killmail::{Attacker, Killmail, Position, Victim, Zkb};

/// ESI's body: no hash, no values, `victim.items` always there.
#[derive(Debug, Clone, Copy)]
pub struct EsiBody<'a>(pub &'a Killmail);

/// zKillboard's block with hash, `href` and `attackerCount`.
#[derive(Debug, Clone, Copy)]
pub struct ZkbBlock<'a>(pub &'a Killmail);

impl Serialize for EsiBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let killmail = self.0;
        Body {
            attackers: killmail.attackers.iter().map(attacker).collect(),
            killmail_id: killmail.killmail_id,
            killmail_time: killmail
                .killmail_time
                .to_rfc3339_opts(SecondsFormat::Secs, true),
            moon_id: killmail.moon_id,
            solar_system_id: killmail.solar_system_id,
            victim: victim(&killmail.victim),
            war_id: killmail.war_id,
        }
        .serialize(serializer)
    }
}

impl Serialize for ZkbBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let killmail = self.0;
        let none = Zkb::default();
        let zkb = killmail.zkb.as_ref().unwrap_or(&none);
        Block {
            location_id: zkb.location_id,
            hash: killmail.hash,
            fitted_value: zkb.fitted_value,
            dropped_value: zkb.dropped_value,
            destroyed_value: zkb.destroyed_value,
            total_value: zkb.total_value,
            total_droppable_value: zkb.total_droppable_value,
            points: zkb.points,
            npc: zkb.npc,
            solo: zkb.solo,
            awox: zkb.awox,
            labels: zkb.labels.as_deref(),
            attacker_count: killmail.attackers.len(),
            href: killmail.hash.map(|hash| {
                let id = killmail.killmail_id;
                format!("https://esi.evetech.net/killmails/{id}/{hash}/")
            }),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Body {
    attackers: Vec<AttackerBody>,
    killmail_id: i64,
    killmail_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    moon_id: Option<i64>,
    solar_system_id: i64,
    victim: VictimBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    war_id: Option<i64>,
}

#[derive(Serialize)]
struct AttackerBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    alliance_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    character_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corporation_id: Option<i64>,
    damage_done: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    faction_id: Option<i64>,
    final_blow: bool,
    security_status: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_type_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weapon_type_id: Option<i64>,
}

#[derive(Serialize)]
struct VictimBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    alliance_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    character_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corporation_id: Option<i64>,
    damage_taken: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    faction_id: Option<i64>,
    items: Vec<items::ItemDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<PositionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_type_id: Option<i64>,
}

#[derive(Serialize)]
struct PositionBody {
    x: f64,
    y: f64,
    z: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(rename = "locationID", skip_serializing_if = "Option::is_none")]
    location_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<KillmailHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fitted_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_droppable_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    npc: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    solo: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    awox: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [String]>,
    attacker_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
}

fn attacker(attacker: &Attacker) -> AttackerBody {
    AttackerBody {
        alliance_id: attacker.alliance_id,
        character_id: attacker.character_id,
        corporation_id: attacker.corporation_id,
        damage_done: attacker.damage_done,
        faction_id: attacker.faction_id,
        final_blow: attacker.final_blow,
        security_status: attacker.security_status,
        ship_type_id: attacker.ship_type_id,
        weapon_type_id: attacker.weapon_type_id,
    }
}

fn victim(victim: &Victim) -> VictimBody {
    VictimBody {
        alliance_id: victim.alliance_id,
        character_id: victim.character_id,
        corporation_id: victim.corporation_id,
        damage_taken: victim.damage_taken,
        faction_id: victim.faction_id,
        items: items::of(&victim.items),
        position: victim
            .position
            .map(|Position { x, y, z }| PositionBody { x, y, z }),
        ship_type_id: victim.ship_type_id,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::parse::{Parsed, parse_value};
    use crate::domain::testing;

    fn parsed(document: &Value) -> Killmail {
        match parse_value(&document.into()).unwrap() {
            Parsed::Killmail(killmail) => *killmail,
            other @ (Parsed::Reference(_) | Parsed::Nothing) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_is_what_esi_wrote() {
        let source: Value = serde_json::from_slice(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/killmails/esi.json"
        )))
        .unwrap();
        let killmail = parsed(&source);
        assert_eq!(parsed(&json!(EsiBody(&killmail))), killmail);
        assert_eq!(
            json!(EsiBody(&killmail))["victim"]["items"],
            source["victim"]["items"]
        );
    }

    #[test]
    fn a_block_tells_where_the_body_is() {
        let mut killmail = parsed(&json!({
            "killmail_id": 7, "killmail_time": "2026-06-01T12:00:00Z", "solar_system_id": 30_000_142,
            "victim": {}, "attackers": [{}, {}],
        }));
        assert_eq!(json!(ZkbBlock(&killmail)), json!({ "attackerCount": 2 }));
        killmail.hash = Some("0a".repeat(20).parse().unwrap());
        assert_eq!(
            json!(ZkbBlock(&killmail))["href"],
            format!("https://esi.evetech.net/killmails/7/{}/", "0a".repeat(20))
        );
    }

    proptest! {
        #[test]
        fn parsing_undoes_rendering(killmail in testing::killmail()) {
            let bare = Killmail { hash: None, zkb: None, ..killmail.clone() };
            prop_assert_eq!(parsed(&json!(EsiBody(&killmail))), bare);
            let document = json!({
                "killmail_id": killmail.killmail_id,
                "hash": killmail.hash,
                "esi": EsiBody(&killmail),
                "zkb": ZkbBlock(&killmail),
            });
            prop_assert_eq!(parsed(&document), killmail);
        }
    }
}
