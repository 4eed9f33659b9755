//! One attempt to commit a batch: rows, gaps, dead letters, cursor, feed log and NOTIFY, all or nothing.

use std::collections::{BTreeSet, HashSet};

use chrono::Datelike;
use sqlx::PgConnection;

use super::batch::Batch;
use super::pipeline::Fence;
use super::plan::{Announcing, Plan, Settled};
use crate::store::gaps::Gap;
use crate::store::{
    self, Store, backfill_days, cursors, dead_letters, feed, gaps, killmails, loading, partitions,
};

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The disk.
    Full,
    /// The disk where something is announced: a listener must never have seen what a crash undoes. Else nothing.
    UnlessAnnounced,
}

/// Makes sure that the years of a batch have partitions, in a short transaction of its own: creating one
/// locks readers out until it commits. Years that are loaded apart get theirs when they are attached.
pub(super) async fn prepare(
    store: &Store,
    batch: &Batch,
    durability: Durability,
    known_years: &mut HashSet<i32>,
) -> store::Result<()> {
    let killmails = batch.waves.iter().flat_map(|wave| &wave.killmails);
    let mut years: BTreeSet<i32> = killmails
        .map(|storable| storable.killmail.killmail_time.year())
        .filter(|year| !known_years.contains(year))
        .collect();
    if !years.is_empty() && durability == Durability::UnlessAnnounced {
        let apart = loading::years(&store.pool).await?;
        years.retain(|year| !apart.contains(year));
        known_years.extend(apart);
    }
    if years.is_empty() {
        return Ok(());
    }
    let years: Vec<i32> = years.into_iter().collect();
    let operation = "creating partitions";
    let mut transaction =
        (store.pool.begin().await).map_err(|source| store::Error::Query { operation, source })?;
    partitions::ensure(&mut transaction, &years).await?;
    (transaction.commit().await).map_err(|source| store::Error::Query { operation, source })?;
    known_years.extend(years);
    Ok(())
}

/// Commits the batch. An error means that nothing of it is stored, except when the connection is lost in
/// the very commit; the same batch again is harmless then, since every write is idempotent.
///
/// The feed log comes last: its lock orders all writers, and is held only until the commit that follows.
#[tracing::instrument(level = "debug", skip_all)]
pub(super) async fn commit(
    store: &Store,
    batch: &Batch,
    (fence, durability): (Option<Fence>, Durability),
    announcing: &Announcing,
) -> store::Result<Settled> {
    let operation = "committing a batch";
    let mut transaction =
        (store.pool.begin().await).map_err(|source| store::Error::Query { operation, source })?;
    let mut changes = Vec::with_capacity(batch.waves.len());
    for wave in &batch.waves {
        let (killmails, enrichment) = (&wave.killmails, &batch.enrichment);
        changes.push(match durability {
            Durability::Full => killmails::upsert(&mut transaction, killmails, enrichment).await?,
            Durability::UnlessAnnounced => {
                let since = announcing.now - announcing.within;
                killmails::upsert_history(&mut transaction, killmails, enrichment, since).await?
            }
        });
    }
    let plan = Plan::of(batch, &changes, announcing);
    if !plan.letters.is_empty() {
        dead_letters::insert(&mut transaction, &plan.letters).await?;
    }
    write_gaps(&mut transaction, batch).await?;
    move_cursor(&mut transaction, batch, fence).await?;
    let last = feed::append(&mut transaction, &plan.events).await?;
    if durability == Durability::UnlessAnnounced && plan.events.is_empty() {
        backfill_days::relax_commit(&mut transaction).await?;
    }
    (transaction.commit().await).map_err(|source| store::Error::Query { operation, source })?;
    Ok(plan.settle(last))
}

async fn write_gaps(conn: &mut PgConnection, batch: &Batch) -> store::Result<()> {
    let opened: Vec<Gap> = (batch.entries.iter())
        .flat_map(|entry| entry.ticket.gaps.iter().cloned())
        .collect();
    if !opened.is_empty() {
        gaps::record(conn, &opened).await?;
    }
    for entry in &batch.entries {
        if let Some(position) = entry.ticket.closes_gap {
            gaps::close(conn, entry.ticket.source, position).await?;
        }
    }
    Ok(())
}

async fn move_cursor(
    conn: &mut PgConnection,
    batch: &Batch,
    fence: Option<Fence>,
) -> store::Result<()> {
    let (Some(fence), Some(cursor)) = (fence, batch.cursor()) else {
        return Ok(());
    };
    cursors::save(
        conn,
        fence.source,
        fence.epoch,
        cursor.position,
        cursor.detail.as_ref(),
        cursor.rewind,
    )
    .await
}
