//! Attacker rows of new killmails.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StorableKillmail;
use crate::domain::Enrichment;
use crate::store::{Error, Result};

/// The rows, one vector a column.
#[derive(Default)]
struct Columns {
    killmail_id: Vec<i64>,
    killmail_time: Vec<DateTime<Utc>>,
    ordinal: Vec<i32>,
    character_id: Vec<Option<i64>>,
    corporation_id: Vec<Option<i64>>,
    alliance_id: Vec<Option<i64>>,
    faction_id: Vec<Option<i64>>,
    ship_type_id: Vec<Option<i64>>,
    ship_group_id: Vec<Option<i64>>,
    weapon_type_id: Vec<Option<i64>>,
    damage_done: Vec<i64>,
    security_status: Vec<f64>,
    final_blow: Vec<bool>,
}

impl Columns {
    fn push(&mut self, storable: &StorableKillmail, enrichment: &Enrichment) {
        let killmail = &storable.killmail;
        for (ordinal, attacker) in (0_i32..).zip(&killmail.attackers) {
            self.killmail_id.push(killmail.killmail_id);
            self.killmail_time.push(killmail.killmail_time);
            self.ordinal.push(ordinal);
            self.character_id.push(attacker.character_id);
            self.corporation_id.push(attacker.corporation_id);
            self.alliance_id.push(attacker.alliance_id);
            self.faction_id.push(attacker.faction_id);
            self.ship_type_id.push(attacker.ship_type_id);
            self.ship_group_id
                .push(super::insert::group_of(attacker.ship_type_id, enrichment));
            self.weapon_type_id.push(attacker.weapon_type_id);
            self.damage_done.push(attacker.damage_done);
            self.security_status.push(attacker.security_status);
            self.final_blow.push(attacker.final_blow);
        }
    }
}

/// Writes the attackers of killmails that this transaction has just inserted.
pub(super) async fn insert(
    conn: &mut PgConnection,
    killmails: &[&StorableKillmail],
    enrichment: &Enrichment,
) -> Result<()> {
    let mut columns = Columns::default();
    for killmail in killmails {
        columns.push(killmail, enrichment);
    }
    if columns.killmail_id.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO attackers (killmail_id, killmail_time, ordinal, character_id, corporation_id, alliance_id,
            faction_id, ship_type_id, ship_group_id, weapon_type_id, damage_done, security_status, final_blow)
        SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::bigint[], $5::bigint[],
            $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
            $12::double precision[], $13::boolean[])
        "#,
        &columns.killmail_id,
        &columns.killmail_time,
        &columns.ordinal,
        &columns.character_id as &[Option<i64>],
        &columns.corporation_id as &[Option<i64>],
        &columns.alliance_id as &[Option<i64>],
        &columns.faction_id as &[Option<i64>],
        &columns.ship_type_id as &[Option<i64>],
        &columns.ship_group_id as &[Option<i64>],
        &columns.weapon_type_id as &[Option<i64>],
        &columns.damage_done,
        &columns.security_status,
        &columns.final_blow,
    )
    .execute(conn)
    .await
    .map_err(Error::query("inserting attackers"))?;
    Ok(())
}
