//! Killmails stored before all their names, types and places were known.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::insert::group_of;
use super::{stored, update};
use crate::domain::names::{Subject, Wanted};
use crate::domain::{Enrichment, Killmail, wire};
use crate::store::document::{Document, pack, up_to};
use crate::store::stats::marks;
use crate::store::{Error, Result};

/// A stored killmail that something was unknown of.
#[derive(Debug, Clone)]
pub struct PendingKillmail {
    /// Its id.
    pub killmail_id: i64,
    /// The canonical document, without items.
    pub document: String,
    /// Its place columns are not filled.
    pub lacks_place: bool,
    /// The column of the victim's ship group is not filled.
    pub lacks_group: bool,
}

/// What [`complete`] wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Completion {
    /// Killmails that gained something.
    pub written: u64,
    /// Those of them that lack nothing now.
    pub completed: u64,
}

/// Pending killmails with ids below `before`, newest first: at most `limit`, and no more once their
/// documents exceed `bytes` together.
///
/// # Errors
/// When the database refuses.
pub async fn pending(
    executor: impl PgExecutor<'_>,
    before: i64,
    limit: i64,
    bytes: usize,
) -> Result<Vec<PendingKillmail>> {
    let rows = sqlx::query_as!(
        PendingKillmail,
        r#"
        SELECT killmail_id, coalesce(packed_document, convert_to(document, 'UTF8')) AS "document!: Document",
            region_id IS NULL AS "lacks_place!", ship_group_id IS NULL AS "lacks_group!"
        FROM killmails
        WHERE pending_names AND killmail_id < $1
        ORDER BY killmail_id DESC
        LIMIT $2
        "#,
        before,
        limit,
    )
    .fetch(executor);
    up_to(bytes, rows, |row| row.document.len())
        .await
        .map_err(Error::query("reading pending killmails"))
}

/// How many killmails are pending.
///
/// # Errors
/// When the database refuses.
pub async fn pending_count(executor: impl PgExecutor<'_>) -> Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM killmails WHERE pending_names"#)
        .fetch_one(executor)
        .await
        .map_err(Error::query("counting pending killmails"))
}

/// The rows to write, one vector a column.
#[derive(Default)]
struct Columns {
    killmail_id: Vec<i64>,
    killmail_time: Vec<DateTime<Utc>>,
    constellation_id: Vec<Option<i64>>,
    region_id: Vec<Option<i64>>,
    security_status: Vec<Option<f64>>,
    ship_group_id: Vec<Option<i64>>,
    pending_names: Vec<bool>,
    packed_document: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, killmail: &Killmail, enrichment: &Enrichment, given_up: &HashSet<Subject>) {
        let system = enrichment.solar_systems.get(&killmail.solar_system_id);
        self.killmail_id.push(killmail.killmail_id);
        self.killmail_time.push(killmail.killmail_time);
        self.constellation_id
            .push(system.map(|system| system.constellation_id));
        self.region_id.push(system.map(|system| system.region_id));
        self.security_status
            .push(system.map(|system| system.security_status));
        self.ship_group_id
            .push(group_of(killmail.victim.ship_type_id, enrichment));
        let lacks_nothing = Wanted::of([killmail])
            .subjects()
            .all(|subject| enrichment.knows(subject) || given_up.contains(&subject));
        self.pending_names.push(!lacks_nothing);
        let document = wire::document(killmail, enrichment);
        self.packed_document.push(pack(&document));
    }
}

/// Renders those of `ids` anew that are still pending, from what is stored once they are locked, and fills
/// their place and group columns. Rows that gain nothing are not written; the feed hears of nothing.
///
/// # Errors
/// When the database refuses.
#[expect(
    clippy::implicit_hasher,
    reason = "one caller, with the standard hasher"
)]
pub async fn complete(
    conn: &mut PgConnection,
    ids: &[i64],
    enrichment: &Enrichment,
    given_up: &HashSet<Subject>,
) -> Result<Completion> {
    let mut killmails = Vec::with_capacity(ids.len());
    for row in stored::lock(conn, ids).await? {
        let document = row.document.as_deref().unwrap_or_default();
        match wire::read(document, None) {
            Ok(killmail) if row.pending_names => killmails.push(Killmail {
                killmail_time: row.killmail_time,
                ..killmail
            }),
            Ok(_) => {}
            Err(error) => {
                let killmail_id = row.killmail_id;
                tracing::warn!(killmail_id, %error, "stored document can't be read, left pending");
            }
        }
    }
    let enrichment = update::completed(conn, enrichment, killmails.iter()).await?;
    let mut columns = Columns::default();
    for killmail in &killmails {
        columns.push(killmail, &enrichment, given_up);
    }
    fill_attackers(conn, &columns, &killmails, &enrichment).await?;
    marks::set_for_places(
        conn,
        &columns.killmail_id,
        &columns.killmail_time,
        &columns.region_id,
    )
    .await?;
    let written = execute(conn, &columns)
        .await
        .map_err(Error::query("completing killmails"))?;
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Completion {
        written: count(written.len()),
        completed: count(written.iter().filter(|pending| !**pending).count()),
    })
}

async fn fill_attackers(
    conn: &mut PgConnection,
    columns: &Columns,
    killmails: &[Killmail],
    enrichment: &Enrichment,
) -> Result<()> {
    let types: BTreeSet<i64> = killmails
        .iter()
        .flat_map(|killmail| &killmail.attackers)
        .filter_map(|attacker| attacker.ship_type_id)
        .collect();
    let (types, groups): (Vec<i64>, Vec<i64>) = types
        .into_iter()
        .filter_map(|id| Some((id, group_of(Some(id), enrichment)?)))
        .unzip();
    sqlx::query!(
        r#"
        UPDATE attackers AS a
        SET ship_group_id = t.ship_group_id
        FROM unnest($1::bigint[], $2::timestamptz[]) AS k (killmail_id, killmail_time),
            unnest($3::bigint[], $4::bigint[]) AS t (ship_type_id, ship_group_id)
        WHERE a.killmail_id = k.killmail_id AND a.killmail_time = k.killmail_time
            AND a.ship_type_id = t.ship_type_id AND a.ship_group_id IS NULL
        "#,
        &columns.killmail_id,
        &columns.killmail_time,
        &types,
        &groups,
    )
    .execute(conn)
    .await
    .map_err(Error::query("completing attackers"))?;
    Ok(())
}

/// Writes what gained something; the answer tells of each row written whether it is still pending.
async fn execute(conn: &mut PgConnection, columns: &Columns) -> Result<Vec<bool>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        UPDATE killmails AS k
        SET constellation_id = coalesce(u.constellation_id, k.constellation_id),
            region_id = coalesce(u.region_id, k.region_id),
            security_status = coalesce(u.security_status, k.security_status),
            ship_group_id = coalesce(u.ship_group_id, k.ship_group_id),
            ship_group_codes = ship_group_codes(
                k.killmail_id, k.killmail_time, k.ship_type_id, coalesce(u.ship_group_id, k.ship_group_id)),
            pending_names = u.pending_names,
            document = NULL,
            packed_document = u.packed_document,
            updated_at = now()
        FROM unnest(
            $1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::double precision[], $6::bigint[],
            $7::boolean[], $8::bytea[]
        ) AS u (
            killmail_id, killmail_time, constellation_id, region_id, security_status, ship_group_id,
            pending_names, packed_document)
        WHERE k.killmail_id = u.killmail_id AND k.killmail_time = u.killmail_time
            AND (NOT u.pending_names
                OR k.packed_document IS DISTINCT FROM u.packed_document
                OR (k.region_id IS NULL AND u.region_id IS NOT NULL)
                OR (k.ship_group_id IS NULL AND u.ship_group_id IS NOT NULL))
        RETURNING k.pending_names
        "#,
        &columns.killmail_id,
        &columns.killmail_time,
        &columns.constellation_id as &[Option<i64>],
        &columns.region_id as &[Option<i64>],
        &columns.security_status as &[Option<f64>],
        &columns.ship_group_id as &[Option<i64>],
        &columns.pending_names,
        &columns.packed_document,
    )
    .fetch_all(conn)
    .await
}
