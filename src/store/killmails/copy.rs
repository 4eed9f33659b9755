//! Rows of new killmails by COPY in its binary format: for history, whose batches are large and rarely meet others.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::insert::group_of;
use super::{StorableKillmail, merge, ship_groups};
use crate::domain::{Attacker, Enrichment, Killmail};
use crate::store::document::pack;
use crate::store::items::Packed;
use crate::store::{Error, Result};

const KILLMAILS: &str = "COPY killmails (
    killmail_id, killmail_time, solar_system_id, constellation_id, region_id, security_status, moon_id, war_id,
    victim_character_id, victim_corporation_id, victim_alliance_id, victim_faction_id, ship_type_id,
    ship_group_id, damage_taken, position_x, position_y, position_z, final_blow_character_id,
    final_blow_corporation_id, final_blow_alliance_id, final_blow_ship_type_id, attacker_count, location_id,
    fitted_value, dropped_value, destroyed_value, total_value, total_droppable_value, points, npc, solo, awox,
    labels, hash, pending_names, items, item_stacks, packed_document,
    ship_group_codes) FROM STDIN (FORMAT binary)";
const KILLMAIL_FIELDS: i16 = 40;
const ATTACKERS: &str = "COPY attackers (killmail_id, killmail_time, ordinal, character_id, corporation_id,
    alliance_id, faction_id, ship_type_id, ship_group_id, weapon_type_id, damage_done, security_status,
    final_blow) FROM STDIN (FORMAT binary)";
const ATTACKER_FIELDS: i16 = 13;

/// Signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;
/// The type `text`, as elements of an array name it.
const TEXT_OID: i32 = 25;
/// The type `integer`.
const INTEGER_OID: i32 = 23;
/// The version of `jsonb`'s binary form.
const JSONB_VERSION: u8 = 1;

/// Writes killmails and their attackers. The ids must not be stored: one that is fails the statement with a unique
/// violation, and with it the transaction or savepoint that it is in.
pub(super) async fn copy(
    conn: &mut PgConnection,
    killmails: &[&StorableKillmail],
    enrichment: &Enrichment,
) -> Result<()> {
    let (mut rows, mut attackers) = (Rows::new(), Rows::new());
    for storable in killmails {
        rows.killmail(storable, enrichment);
        for (ordinal, attacker) in (0_i32..).zip(&storable.killmail.attackers) {
            attackers.attacker(&storable.killmail, (ordinal, attacker), enrichment);
        }
    }
    send(conn, KILLMAILS, rows).await?;
    send(conn, ATTACKERS, attackers).await
}

async fn send(conn: &mut PgConnection, statement: &'static str, rows: Rows) -> Result<()> {
    let failed = Error::query("copying killmails");
    let copied = async {
        let mut copy = conn.copy_in_raw(statement).await?;
        copy.send(rows.finish()).await?;
        copy.finish().await
    };
    copied.await.map(drop).map_err(failed)
}

/// Rows in the binary format, one after the other.
struct Rows {
    bytes: Vec<u8>,
}

impl Rows {
    fn new() -> Self {
        Self {
            bytes: HEADER.to_vec(),
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        self.bytes
    }

    fn killmail(&mut self, storable: &StorableKillmail, enrichment: &Enrichment) {
        let killmail = &storable.killmail;
        let system = enrichment.solar_systems.get(&killmail.solar_system_id);
        self.begin(KILLMAIL_FIELDS);
        self.number(Some(killmail.killmail_id));
        self.time(killmail.killmail_time);
        self.number(Some(killmail.solar_system_id));
        self.number(system.map(|system| system.constellation_id));
        self.number(system.map(|system| system.region_id));
        self.float(system.map(|system| system.security_status));
        self.number(killmail.moon_id);
        self.number(killmail.war_id);
        self.victim(killmail, enrichment);
        // Old mails have no or several final blows; the first one counts.
        let last = killmail.attackers.iter().find(|it| it.final_blow);
        self.number(last.and_then(|it| it.character_id));
        self.number(last.and_then(|it| it.corporation_id));
        self.number(last.and_then(|it| it.alliance_id));
        self.number(last.and_then(|it| it.ship_type_id));
        self.integer(i32::try_from(killmail.attackers.len()).unwrap_or(i32::MAX));
        self.zkb(killmail);
        let hash = killmail.hash.map(|hash| hash.to_string());
        self.text(hash.as_deref());
        self.flag(Some(storable.pending_names));
        let items = Packed::of(&killmail.victim.items);
        self.json(items.json.as_deref());
        self.integers(items.stacks.as_deref());
        self.field(Some(&pack(&storable.document)));
        self.field(ship_groups::codes(killmail, enrichment).as_deref());
    }

    fn victim(&mut self, killmail: &Killmail, enrichment: &Enrichment) {
        let victim = &killmail.victim;
        self.number(victim.character_id);
        self.number(victim.corporation_id);
        self.number(victim.alliance_id);
        self.number(victim.faction_id);
        self.number(victim.ship_type_id);
        self.number(group_of(victim.ship_type_id, enrichment));
        self.number(Some(victim.damage_taken));
        self.float(victim.position.map(|position| position.x));
        self.float(victim.position.map(|position| position.y));
        self.float(victim.position.map(|position| position.z));
    }

    fn zkb(&mut self, killmail: &Killmail) {
        let zkb = killmail
            .zkb
            .as_ref()
            .map(merge::storable)
            .unwrap_or_default();
        self.number(zkb.location_id);
        self.float(zkb.fitted_value);
        self.float(zkb.dropped_value);
        self.float(zkb.destroyed_value);
        self.float(zkb.total_value);
        self.float(zkb.total_droppable_value);
        self.number(zkb.points);
        self.flag(zkb.npc);
        self.flag(zkb.solo);
        self.flag(zkb.awox);
        self.texts(zkb.labels.as_deref());
    }

    fn attacker(
        &mut self,
        killmail: &Killmail,
        (ordinal, attacker): (i32, &Attacker),
        enrichment: &Enrichment,
    ) {
        self.begin(ATTACKER_FIELDS);
        self.number(Some(killmail.killmail_id));
        self.time(killmail.killmail_time);
        self.integer(ordinal);
        self.number(attacker.character_id);
        self.number(attacker.corporation_id);
        self.number(attacker.alliance_id);
        self.number(attacker.faction_id);
        self.number(attacker.ship_type_id);
        self.number(group_of(attacker.ship_type_id, enrichment));
        self.number(attacker.weapon_type_id);
        self.number(Some(attacker.damage_done));
        self.float(Some(attacker.security_status));
        self.flag(Some(attacker.final_blow));
    }

    fn begin(&mut self, fields: i16) {
        self.bytes.extend_from_slice(&fields.to_be_bytes());
    }

    fn length(&mut self, length: usize) {
        // No field comes near 2 GiB: a document has 32 MiB at most.
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
    }

    fn field(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                self.length(value.len());
                self.bytes.extend_from_slice(value);
            }
        }
    }

    fn number(&mut self, value: Option<i64>) {
        self.field(
            value
                .map(i64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
    }

    fn integer(&mut self, value: i32) {
        self.field(Some(&value.to_be_bytes()));
    }

    fn float(&mut self, value: Option<f64>) {
        self.field(
            value
                .map(f64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
    }

    fn flag(&mut self, value: Option<bool>) {
        self.field(
            value
                .map(|flag| [u8::from(flag)])
                .as_ref()
                .map(<[u8; 1]>::as_slice),
        );
    }

    fn time(&mut self, time: DateTime<Utc>) {
        self.number(Some(time.timestamp_micros() - EPOCH_MICROSECONDS));
    }

    fn text(&mut self, value: Option<&str>) {
        self.field(value.map(str::as_bytes));
    }

    fn json(&mut self, value: Option<&str>) {
        let Some(value) = value else {
            return self.field(None);
        };
        self.length(value.len() + 1);
        self.bytes.push(JSONB_VERSION);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    fn texts(&mut self, values: Option<&[String]>) {
        self.array(values, TEXT_OID, |array, value| array.text(Some(value)));
    }

    fn integers(&mut self, values: Option<&[i32]>) {
        self.array(values, INTEGER_OID, |array, value| array.integer(*value));
    }

    fn array<T>(&mut self, values: Option<&[T]>, of: i32, mut element: impl FnMut(&mut Self, &T)) {
        let Some(values) = values else {
            return self.field(None);
        };
        let mut array = Self { bytes: Vec::new() };
        let count = i32::try_from(values.len()).unwrap_or(i32::MAX);
        // An array without elements has no dimensions either.
        for part in [i32::from(count > 0), 0, of] {
            array.bytes.extend_from_slice(&part.to_be_bytes());
        }
        if count > 0 {
            for part in [count, 1] {
                array.bytes.extend_from_slice(&part.to_be_bytes());
            }
        }
        for value in values {
            element(&mut array, value);
        }
        self.field(Some(&array.bytes));
    }
}
