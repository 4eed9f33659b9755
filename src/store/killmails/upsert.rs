use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Datelike, Utc};
use sqlx::{Connection, PgConnection};

use super::stored::{self, Stored};
use super::{Change, StorableKillmail, attackers, copy, insert, update};
use crate::domain::Enrichment;
use crate::store::stats::marks;
use crate::store::{Error, Result, loading, partitions};

/// Writes a batch: killmail rows and attacker rows, idempotent by killmail id. The answer is in the order of
/// `batch`; ids within a batch are unique.
///
/// The body of a stored killmail never changes. A later source's values and labels replace stored ones where
/// it has any, a missing hash is filled in, and the document is rendered anew with them; absent values never
/// erase. Missing yearly partitions are created on the way.
///
/// Needs `enrichment` to write the place columns (region, constellation, security, ship group).
///
/// # Errors
/// When the database refuses.
pub async fn upsert(
    conn: &mut PgConnection,
    batch: &[StorableKillmail],
    enrichment: &Enrichment,
) -> Result<Vec<Change>> {
    let batch: Vec<&StorableKillmail> = batch.iter().collect();
    write(conn, &batch, enrichment, Manner::Insert).await
}

/// As [`upsert`], with COPY for what is not stored yet: faster for large batches that hardly ever meet another
/// writer's. Where one does, its batch is written as [`upsert`] would. What is not stored yet of a year that is loaded
/// apart goes there, unless it happened at or after `announced_since`: who hears of a killmail has to find it. Inside the
/// caller's transaction.
///
/// # Errors
/// When the database refuses.
pub async fn upsert_history(
    conn: &mut PgConnection,
    batch: &[StorableKillmail],
    enrichment: &Enrichment,
    announced_since: DateTime<Utc>,
) -> Result<Vec<Change>> {
    let years = loading::hold_years(conn).await?;
    if years.is_empty() {
        let batch: Vec<&StorableKillmail> = batch.iter().collect();
        return write(conn, &batch, enrichment, Manner::Copy).await;
    }
    let mut changes = HashMap::with_capacity(batch.len());
    for (year, killmails) in by_place(conn, batch, &years, announced_since).await? {
        let written = if let Some(year) = year {
            let usual = loading::enter(conn, year).await?;
            let written = write(conn, &killmails, enrichment, Manner::Apart).await?;
            loading::leave(conn, &usual).await?;
            written
        } else {
            write(conn, &killmails, enrichment, Manner::Copy).await?
        };
        let ids = killmails
            .iter()
            .map(|storable| storable.killmail.killmail_id);
        changes.extend(ids.zip(written));
    }
    let change = |storable: &StorableKillmail| changes.get(&storable.killmail.killmail_id).copied();
    Ok(batch.iter().filter_map(change).collect())
}

/// Killmails by where they belong: one of the `years` that are loaded apart, or with all others.
async fn by_place<'b>(
    conn: &mut PgConnection,
    batch: &'b [StorableKillmail],
    years: &[i32],
    announced_since: DateTime<Utc>,
) -> Result<BTreeMap<Option<i32>, Vec<&'b StorableKillmail>>> {
    let mut stored = HashMap::new();
    load(conn, &mut stored, batch.iter()).await?;
    let mut places: BTreeMap<Option<i32>, Vec<&StorableKillmail>> = BTreeMap::new();
    for storable in batch {
        let killmail = &storable.killmail;
        let is_seen =
            killmail.killmail_time >= announced_since || stored.contains_key(&killmail.killmail_id);
        let year =
            Some(killmail.killmail_time.year()).filter(|year| years.contains(year) && !is_seen);
        places.entry(year).or_default().push(storable);
    }
    Ok(places)
}

/// How rows that are not stored yet are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Insert,
    Copy,
    /// As `Copy`, into the tables of a year that is loaded apart: they are no partitions, and what they have is counted
    /// when they are attached.
    Apart,
}

async fn write(
    conn: &mut PgConnection,
    batch: &[&StorableKillmail],
    enrichment: &Enrichment,
    manner: Manner,
) -> Result<Vec<Change>> {
    if manner == Manner::Copy {
        partitions::introduce(conn).await?;
    }
    let mut stored = HashMap::with_capacity(batch.len());
    load(conn, &mut stored, batch.iter().copied()).await?;
    let mut fresh: Vec<&StorableKillmail> = batch
        .iter()
        .copied()
        .filter(|storable| !stored.contains_key(&storable.killmail.killmail_id))
        .collect();
    // Every writer takes its rows in the same order, so no two of them can wait for each other.
    fresh.sort_unstable_by_key(|storable| storable.killmail.killmail_id);
    let inserted = write_fresh(conn, &fresh, enrichment, manner).await?;
    // What another transaction stored between the look and the insert is there to be seen now.
    let overtaken = fresh
        .into_iter()
        .filter(|storable| !inserted.contains(&storable.killmail.killmail_id));
    load(conn, &mut stored, overtaken).await?;

    let changed = batch
        .iter()
        .copied()
        .filter(|storable| differs(&stored, storable))
        .map(|storable| (storable.killmail.killmail_id, storable))
        .collect();
    let updated = update::update(conn, &changed, enrichment).await?;
    let updated: HashSet<i64> = updated.into_iter().collect();
    if manner != Manner::Apart {
        let written = (batch.iter().map(|storable| &storable.killmail))
            .filter(|it| inserted.contains(&it.killmail_id) || updated.contains(&it.killmail_id));
        marks::set(conn, written.map(|it| it.killmail_time)).await?;
    }
    Ok(batch
        .iter()
        .map(|storable| {
            let id = storable.killmail.killmail_id;
            match stored.get(&id) {
                _ if inserted.contains(&id) => Change::New,
                _ if updated.contains(&id) => Change::Updated,
                Some(row) if row.killmail_time != storable.killmail.killmail_time => {
                    Change::Conflict
                }
                _ => Change::Unchanged,
            }
        })
        .collect())
}

async fn load<'a>(
    conn: &mut PgConnection,
    stored: &mut HashMap<i64, Stored>,
    storables: impl Iterator<Item = &'a StorableKillmail>,
) -> Result<()> {
    let ids: Vec<i64> = storables
        .map(|storable| storable.killmail.killmail_id)
        .collect();
    if !ids.is_empty() {
        let rows = stored::load(conn, &ids).await?;
        stored.extend(rows.into_iter().map(|row| (row.killmail_id, row)));
    }
    Ok(())
}

async fn write_fresh(
    conn: &mut PgConnection,
    fresh: &[&StorableKillmail],
    enrichment: &Enrichment,
    manner: Manner,
) -> Result<HashSet<i64>> {
    if fresh.is_empty() {
        return Ok(HashSet::new());
    }
    if manner != Manner::Apart {
        let mut years: Vec<i32> = fresh
            .iter()
            .map(|storable| storable.killmail.killmail_time.year())
            .collect();
        years.sort_unstable();
        years.dedup();
        partitions::ensure(conn, &years).await?;
    }
    if manner != Manner::Insert && copied(conn, fresh, enrichment).await? {
        return Ok(fresh.iter().map(|it| it.killmail.killmail_id).collect());
    }
    let inserted = insert::insert(conn, fresh, enrichment).await?;
    let written: Vec<&StorableKillmail> = fresh
        .iter()
        .copied()
        .filter(|storable| inserted.contains(&storable.killmail.killmail_id))
        .collect();
    attackers::insert(conn, &written, enrichment).await?;
    Ok(inserted)
}

/// Copies rows below a savepoint. False where another writer has stored one of them since they were looked for.
async fn copied(
    conn: &mut PgConnection,
    fresh: &[&StorableKillmail],
    enrichment: &Enrichment,
) -> Result<bool> {
    let failed = Error::query("copying killmails");
    let mut savepoint = conn.begin().await.map_err(failed)?;
    match copy::copy(&mut savepoint, fresh, enrichment).await {
        Ok(()) => {
            let failed = Error::query("copying killmails");
            savepoint.commit().await.map_err(failed)?;
            Ok(true)
        }
        Err(error) if error.is_unique_violation() => {
            let failed = Error::query("copying killmails");
            savepoint.rollback().await.map_err(failed)?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn differs(stored: &HashMap<i64, Stored>, storable: &StorableKillmail) -> bool {
    let killmail = &storable.killmail;
    stored.get(&killmail.killmail_id).is_some_and(|row| {
        row.killmail_time == killmail.killmail_time && update::merged(row, killmail).is_some()
    })
}
