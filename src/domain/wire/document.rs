//! The document's structs: field order is wire order.

use chrono::SecondsFormat;
use serde::Serialize;

use crate::domain::ids::KillmailHash;
use crate::domain::killmail::{Attacker, Killmail, Position, Victim, Zkb};
use crate::domain::names::{Enrichment, EntityKey, EntityKind, EntityName};

#[derive(Serialize)]
pub(super) struct Document<'a> {
    killmail_id: i64,
    kill_time: String,
    /// The name WandererKills gave it; the same as `solar_system_id`.
    system_id: i64,
    solar_system_id: i64,
    #[serde(flatten)]
    place: Place<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    war_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moon_id: Option<i64>,
    attacker_count: usize,
    victim: VictimDocument<'a>,
    attackers: Vec<AttackerDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zkb: Option<ZkbDocument<'a>>,
}

/// What is known of the system; empty for systems that no static data has.
#[derive(Serialize, Default)]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    solar_system_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constellation_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constellation_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_status: Option<f64>,
}

#[derive(Serialize)]
struct VictimDocument<'a> {
    #[serde(flatten)]
    party: PartyDocument<'a>,
    damage_taken: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<PositionDocument>,
}

#[derive(Serialize)]
struct PositionDocument {
    x: f64,
    y: f64,
    z: f64,
}

#[derive(Serialize)]
struct AttackerDocument<'a> {
    #[serde(flatten)]
    party: PartyDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weapon_type_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weapon_name: Option<&'a str>,
    damage_done: i64,
    final_blow: bool,
    security_status: f64,
}

/// Who, and in what ship.
#[derive(Serialize)]
struct PartyDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    character_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    character_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corporation_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corporation_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corporation_ticker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alliance_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alliance_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alliance_ticker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faction_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faction_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_type_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_group_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_group_name: Option<&'a str>,
}

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
struct ZkbDocument<'a> {
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
}

impl<'a> Document<'a> {
    pub(super) fn of(killmail: &'a Killmail, enrichment: &'a Enrichment) -> Self {
        let zkb = ZkbDocument::of(killmail.hash, killmail.zkb.as_ref());
        Self {
            killmail_id: killmail.killmail_id,
            kill_time: killmail
                .killmail_time
                .to_rfc3339_opts(SecondsFormat::Secs, true),
            system_id: killmail.solar_system_id,
            solar_system_id: killmail.solar_system_id,
            place: Place::of(killmail.solar_system_id, enrichment),
            war_id: killmail.war_id,
            moon_id: killmail.moon_id,
            attacker_count: killmail.attackers.len(),
            victim: VictimDocument::of(&killmail.victim, enrichment),
            attackers: killmail
                .attackers
                .iter()
                .map(|attacker| AttackerDocument::of(attacker, enrichment))
                .collect(),
            zkb: Some(zkb).filter(|zkb| *zkb != ZkbDocument::default()),
        }
    }
}

impl<'a> Place<'a> {
    fn of(solar_system_id: i64, enrichment: &'a Enrichment) -> Self {
        let Some(system) = enrichment.solar_systems.get(&solar_system_id) else {
            return Self::default();
        };
        Self {
            solar_system_name: Some(&system.name),
            constellation_id: Some(system.constellation_id),
            constellation_name: Some(&system.constellation_name),
            region_id: Some(system.region_id),
            region_name: Some(&system.region_name),
            security_status: Some(system.security_status),
        }
    }
}

impl<'a> VictimDocument<'a> {
    fn of(victim: &Victim, enrichment: &'a Enrichment) -> Self {
        Self {
            party: PartyDocument::of(
                [
                    victim.character_id,
                    victim.corporation_id,
                    victim.alliance_id,
                    victim.faction_id,
                ],
                victim.ship_type_id,
                enrichment,
            ),
            damage_taken: victim.damage_taken,
            position: victim
                .position
                .map(|Position { x, y, z }| PositionDocument { x, y, z }),
        }
    }
}

impl<'a> AttackerDocument<'a> {
    fn of(attacker: &Attacker, enrichment: &'a Enrichment) -> Self {
        let weapon = attacker
            .weapon_type_id
            .and_then(|id| enrichment.ship_types.get(&id));
        Self {
            party: PartyDocument::of(
                [
                    attacker.character_id,
                    attacker.corporation_id,
                    attacker.alliance_id,
                    attacker.faction_id,
                ],
                attacker.ship_type_id,
                enrichment,
            ),
            weapon_type_id: attacker.weapon_type_id,
            weapon_name: weapon.map(|weapon| weapon.name.as_str()),
            damage_done: attacker.damage_done,
            final_blow: attacker.final_blow,
            security_status: attacker.security_status,
        }
    }
}

impl<'a> PartyDocument<'a> {
    /// `ids` are character, corporation, alliance and faction.
    fn of(ids: [Option<i64>; 4], ship_type_id: Option<i64>, enrichment: &'a Enrichment) -> Self {
        let [character_id, corporation_id, alliance_id, faction_id] = ids;
        let find = |kind, id: Option<i64>| -> Option<&'a EntityName> {
            let key = EntityKey { kind, id: id? };
            enrichment.names.get(&key).map(AsRef::as_ref)
        };
        let name = |entity: Option<&'a EntityName>| entity.map(|entity| entity.name.as_str());
        let ticker = |entity: Option<&'a EntityName>| entity?.ticker.as_deref();
        let corporation = find(EntityKind::Corporation, corporation_id);
        let alliance = find(EntityKind::Alliance, alliance_id);
        let ship = ship_type_id.and_then(|id| enrichment.ship_types.get(&id));
        Self {
            character_id,
            character_name: name(find(EntityKind::Character, character_id)),
            corporation_id,
            corporation_name: name(corporation),
            corporation_ticker: ticker(corporation),
            alliance_id,
            alliance_name: name(alliance),
            alliance_ticker: ticker(alliance),
            faction_id,
            faction_name: name(find(EntityKind::Faction, faction_id)),
            ship_type_id,
            ship_name: ship.map(|ship| ship.name.as_str()),
            ship_group_id: ship.map(|ship| ship.group_id),
            ship_group_name: ship.map(|ship| ship.group_name.as_str()),
        }
    }
}

impl<'a> ZkbDocument<'a> {
    fn of(hash: Option<KillmailHash>, zkb: Option<&'a Zkb>) -> Self {
        let Some(zkb) = zkb else {
            return Self {
                hash,
                ..Self::default()
            };
        };
        Self {
            location_id: zkb.location_id,
            hash,
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
        }
    }
}
