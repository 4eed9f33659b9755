//! Rows of killmails not stored before.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{StorableKillmail, merge, ship_groups};
use crate::domain::{Attacker, Enrichment};
use crate::store::document::pack;
use crate::store::items::Packed;
use crate::store::{Error, Result};

/// The rows, one vector a column.
#[derive(Default)]
struct Columns {
    killmail_id: Vec<i64>,
    killmail_time: Vec<DateTime<Utc>>,
    solar_system_id: Vec<i64>,
    place: PlaceColumns,
    moon_id: Vec<Option<i64>>,
    war_id: Vec<Option<i64>>,
    victim: VictimColumns,
    final_blow: FinalBlowColumns,
    attacker_count: Vec<i32>,
    zkb: ZkbColumns,
    hash: Vec<Option<String>>,
    pending_names: Vec<bool>,
    items: Vec<Option<String>>,
    item_stacks: Vec<Option<String>>,
    packed_document: Vec<Vec<u8>>,
    ship_group_codes: Vec<Option<Vec<u8>>>,
}

#[derive(Default)]
struct PlaceColumns {
    constellation_id: Vec<Option<i64>>,
    region_id: Vec<Option<i64>>,
    security_status: Vec<Option<f64>>,
}

#[derive(Default)]
struct VictimColumns {
    character_id: Vec<Option<i64>>,
    corporation_id: Vec<Option<i64>>,
    alliance_id: Vec<Option<i64>>,
    faction_id: Vec<Option<i64>>,
    ship_type_id: Vec<Option<i64>>,
    ship_group_id: Vec<Option<i64>>,
    damage_taken: Vec<i64>,
    position_x: Vec<Option<f64>>,
    position_y: Vec<Option<f64>>,
    position_z: Vec<Option<f64>>,
}

#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "named as the columns are")]
struct FinalBlowColumns {
    character_id: Vec<Option<i64>>,
    corporation_id: Vec<Option<i64>>,
    alliance_id: Vec<Option<i64>>,
    ship_type_id: Vec<Option<i64>>,
}

/// zKillboard's block, one vector a column; also what an update writes.
#[derive(Default)]
pub(super) struct ZkbColumns {
    pub(super) location_id: Vec<Option<i64>>,
    pub(super) fitted_value: Vec<Option<f64>>,
    pub(super) dropped_value: Vec<Option<f64>>,
    pub(super) destroyed_value: Vec<Option<f64>>,
    pub(super) total_value: Vec<Option<f64>>,
    pub(super) total_droppable_value: Vec<Option<f64>>,
    pub(super) points: Vec<Option<i64>>,
    pub(super) npc: Vec<Option<bool>>,
    pub(super) solo: Vec<Option<bool>>,
    pub(super) awox: Vec<Option<bool>>,
    pub(super) labels: Vec<Option<String>>,
}

impl ZkbColumns {
    pub(super) fn push(&mut self, zkb: &crate::domain::Zkb) {
        self.location_id.push(zkb.location_id);
        self.fitted_value.push(zkb.fitted_value);
        self.dropped_value.push(zkb.dropped_value);
        self.destroyed_value.push(zkb.destroyed_value);
        self.total_value.push(zkb.total_value);
        self.total_droppable_value.push(zkb.total_droppable_value);
        self.points.push(zkb.points);
        self.npc.push(zkb.npc);
        self.solo.push(zkb.solo);
        self.awox.push(zkb.awox);
        self.labels.push(merge::joined_labels(zkb));
    }
}

impl Columns {
    fn push(&mut self, storable: &StorableKillmail, enrichment: &Enrichment) {
        let killmail = &storable.killmail;
        self.killmail_id.push(killmail.killmail_id);
        self.killmail_time.push(killmail.killmail_time);
        self.solar_system_id.push(killmail.solar_system_id);
        self.push_place(killmail.solar_system_id, enrichment);
        self.moon_id.push(killmail.moon_id);
        self.war_id.push(killmail.war_id);
        self.push_victim(storable, enrichment);
        self.push_final_blow(&killmail.attackers);
        self.attacker_count
            .push(i32::try_from(killmail.attackers.len()).unwrap_or(i32::MAX));
        let zkb = killmail.zkb.as_ref().map(merge::storable);
        self.zkb.push(&zkb.unwrap_or_default());
        self.hash.push(killmail.hash.map(|hash| hash.to_string()));
        self.pending_names.push(storable.pending_names);
        let items = Packed::of(&killmail.victim.items);
        self.items.push(items.json);
        self.item_stacks.push(items.stacks.as_deref().map(array));
        self.packed_document.push(pack(&storable.document));
        self.ship_group_codes
            .push(ship_groups::codes(killmail, enrichment));
    }

    fn push_place(&mut self, solar_system_id: i64, enrichment: &Enrichment) {
        let system = enrichment.solar_systems.get(&solar_system_id);
        let place = &mut self.place;
        place
            .constellation_id
            .push(system.map(|system| system.constellation_id));
        place.region_id.push(system.map(|system| system.region_id));
        place
            .security_status
            .push(system.map(|system| system.security_status));
    }

    fn push_victim(&mut self, storable: &StorableKillmail, enrichment: &Enrichment) {
        let victim = &storable.killmail.victim;
        let columns = &mut self.victim;
        columns.character_id.push(victim.character_id);
        columns.corporation_id.push(victim.corporation_id);
        columns.alliance_id.push(victim.alliance_id);
        columns.faction_id.push(victim.faction_id);
        columns.ship_type_id.push(victim.ship_type_id);
        columns
            .ship_group_id
            .push(group_of(victim.ship_type_id, enrichment));
        columns.damage_taken.push(victim.damage_taken);
        columns.position_x.push(victim.position.map(|p| p.x));
        columns.position_y.push(victim.position.map(|p| p.y));
        columns.position_z.push(victim.position.map(|p| p.z));
    }

    /// Old mails have no or several final blows; the first one counts.
    fn push_final_blow(&mut self, attackers: &[Attacker]) {
        let attacker = attackers.iter().find(|attacker| attacker.final_blow);
        let columns = &mut self.final_blow;
        columns
            .character_id
            .push(attacker.and_then(|a| a.character_id));
        columns
            .corporation_id
            .push(attacker.and_then(|a| a.corporation_id));
        columns
            .alliance_id
            .push(attacker.and_then(|a| a.alliance_id));
        columns
            .ship_type_id
            .push(attacker.and_then(|a| a.ship_type_id));
    }
}

/// The group of a type, where both are known.
pub(super) fn group_of(type_id: Option<i64>, enrichment: &Enrichment) -> Option<i64> {
    let ship_type = enrichment.ship_types.get(&type_id?)?;
    Some(ship_type.group_id)
}

/// As PostgreSQL reads it: arrays have no elements that are arrays of different lengths.
fn array(numbers: &[i32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i32::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}

/// Inserts killmails, sorted by id. Returns the ids of those that nobody else has inserted meanwhile.
pub(super) async fn insert(
    conn: &mut PgConnection,
    killmails: &[&StorableKillmail],
    enrichment: &Enrichment,
) -> Result<HashSet<i64>> {
    if killmails.is_empty() {
        return Ok(HashSet::new());
    }
    let mut columns = Columns::default();
    for killmail in killmails {
        columns.push(killmail, enrichment);
    }
    let inserted = execute(conn, &columns)
        .await
        .map_err(Error::query("inserting killmails"))?;
    Ok(inserted.into_iter().collect())
}

async fn execute(conn: &mut PgConnection, columns: &Columns) -> Result<Vec<i64>, sqlx::Error> {
    let Columns {
        place,
        victim,
        final_blow,
        zkb,
        ..
    } = columns;
    sqlx::query_file_scalar!(
        "src/store/killmails/insert.sql",
        &columns.killmail_id,
        &columns.killmail_time,
        &columns.solar_system_id,
        &place.constellation_id as &[Option<i64>],
        &place.region_id as &[Option<i64>],
        &place.security_status as &[Option<f64>],
        &columns.moon_id as &[Option<i64>],
        &columns.war_id as &[Option<i64>],
        &victim.character_id as &[Option<i64>],
        &victim.corporation_id as &[Option<i64>],
        &victim.alliance_id as &[Option<i64>],
        &victim.faction_id as &[Option<i64>],
        &victim.ship_type_id as &[Option<i64>],
        &victim.ship_group_id as &[Option<i64>],
        &victim.damage_taken,
        &victim.position_x as &[Option<f64>],
        &victim.position_y as &[Option<f64>],
        &victim.position_z as &[Option<f64>],
        &final_blow.character_id as &[Option<i64>],
        &final_blow.corporation_id as &[Option<i64>],
        &final_blow.alliance_id as &[Option<i64>],
        &final_blow.ship_type_id as &[Option<i64>],
        &columns.attacker_count,
        &zkb.location_id as &[Option<i64>],
        &zkb.fitted_value as &[Option<f64>],
        &zkb.dropped_value as &[Option<f64>],
        &zkb.destroyed_value as &[Option<f64>],
        &zkb.total_value as &[Option<f64>],
        &zkb.total_droppable_value as &[Option<f64>],
        &zkb.points as &[Option<i64>],
        &zkb.npc as &[Option<bool>],
        &zkb.solo as &[Option<bool>],
        &zkb.awox as &[Option<bool>],
        &zkb.labels as &[Option<String>],
        &columns.hash as &[Option<String>],
        &columns.pending_names,
        &columns.items as &[Option<String>],
        &columns.item_stacks as &[Option<String>],
        &columns.packed_document,
        &columns.ship_group_codes as &[Option<Vec<u8>>],
    )
    .fetch_all(conn)
    .await
}
