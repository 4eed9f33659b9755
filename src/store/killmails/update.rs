//! New values for killmails that are stored already.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::insert::ZkbColumns;
use super::stored::{self, Stored};
use super::{StorableKillmail, merge};
use crate::domain::names::Wanted;
use crate::domain::{Enrichment, Killmail, KillmailHash, Zkb, wire};
use crate::store::document::pack;
use crate::store::{Error, Result, names, ship_types, systems};

/// A merge of a stored killmail and the same one of a later source.
pub(super) struct Merged {
    hash: Option<String>,
    zkb: Zkb,
}

/// What the stored killmail would be with what `incoming` adds; `None` when nothing changes.
///
/// The hash belongs to the body, so one that is stored stays: only a missing one is filled in.
pub(super) fn merged(stored: &Stored, incoming: &Killmail) -> Option<Merged> {
    let zkb = match &incoming.zkb {
        Some(zkb) => merge::merge(&stored.zkb, &merge::storable(zkb)),
        None => stored.zkb.clone(),
    };
    let hash = stored
        .hash
        .clone()
        .or_else(|| incoming.hash.map(|hash| hash.to_string()));
    (zkb != stored.zkb || hash != stored.hash).then_some(Merged { hash, zkb })
}

/// The rows to write, one vector a column.
#[derive(Default)]
struct Columns {
    killmail_id: Vec<i64>,
    killmail_time: Vec<DateTime<Utc>>,
    hash: Vec<Option<String>>,
    zkb: ZkbColumns,
    packed_document: Vec<Vec<u8>>,
}

/// Merges, renders and writes killmails that differ from what is stored. A pending killmail stays pending,
/// even where nothing is unknown any more: its columns are still to be filled (see [`super::complete()`]).
///
/// Returns the ids of those that still differed once they were locked.
pub(super) async fn update(
    conn: &mut PgConnection,
    changed: &HashMap<i64, &StorableKillmail>,
    enrichment: &Enrichment,
) -> Result<Vec<i64>> {
    let mut ids: Vec<i64> = changed.keys().copied().collect();
    if ids.is_empty() {
        return Ok(ids);
    }
    ids.sort_unstable();
    let mut pairs = Vec::with_capacity(ids.len());
    for stored in stored::lock(conn, &ids).await? {
        let incoming = changed
            .get(&stored.killmail_id)
            .filter(|incoming| incoming.killmail.killmail_time == stored.killmail_time);
        if let Some(incoming) = incoming
            && let Some(merged) = merged(&stored, &incoming.killmail)
        {
            let killmail = body(&stored, &incoming.killmail, &merged);
            pairs.push((stored, killmail, merged));
        }
    }
    let enrichment = completed(conn, enrichment, pairs.iter().map(|pair| &pair.1)).await?;
    let mut columns = Columns::default();
    for (stored, killmail, merged) in pairs {
        columns.killmail_id.push(stored.killmail_id);
        columns.killmail_time.push(stored.killmail_time);
        columns.hash.push(merged.hash);
        columns.zkb.push(&merged.zkb);
        let document = wire::document(&killmail, &enrichment);
        columns.packed_document.push(pack(&document));
    }
    execute(conn, &columns)
        .await
        .map_err(Error::query("updating killmails"))?;
    Ok(columns.killmail_id)
}

/// The stored facts with the merged values. A stored document that can't be read is healed by the facts
/// that have come in.
fn body(stored: &Stored, incoming: &Killmail, merged: &Merged) -> Killmail {
    let document = stored.document.as_deref().unwrap_or_default();
    let facts = wire::read(document, stored.items.as_deref()).unwrap_or_else(|error| {
        tracing::warn!(killmail_id = stored.killmail_id, %error, "stored document can't be read, rendering it anew");
        incoming.clone()
    });
    let hash = merged
        .hash
        .as_deref()
        .and_then(|hash| hash.parse::<KillmailHash>().ok());
    let zkb = (merged.zkb != Zkb::default() || facts.zkb.is_some()).then(|| merged.zkb.clone());
    Killmail { hash, zkb, ..facts }
}

/// The given look-ups, completed with what the database knows: a new rendering must not lose names that
/// the stored one has.
pub(super) async fn completed<'a>(
    conn: &mut PgConnection,
    given: &Enrichment,
    killmails: impl Iterator<Item = &'a Killmail>,
) -> Result<Enrichment> {
    let mut enrichment = given.clone();
    let mut wanted = Wanted::of(killmails);
    wanted.entities.retain(|key| !given.names.contains_key(key));
    wanted.types.retain(|id| !given.ship_types.contains_key(id));
    wanted
        .solar_systems
        .retain(|id| !given.solar_systems.contains_key(id));
    if !wanted.entities.is_empty() {
        let found = names::load(&mut *conn, &wanted.entities).await?;
        enrichment
            .names
            .extend(found.into_iter().map(|(key, name)| (key, Arc::new(name))));
    }
    if !wanted.types.is_empty() {
        let found = ship_types::load(&mut *conn, &wanted.types).await?;
        enrichment.ship_types.extend(
            found
                .into_iter()
                .map(|found| (found.type_id, Arc::new(found))),
        );
    }
    if !wanted.solar_systems.is_empty() {
        let found = systems::load(&mut *conn, &wanted.solar_systems).await?;
        enrichment.solar_systems.extend(
            found
                .into_iter()
                .map(|found| (found.solar_system_id, Arc::new(found))),
        );
    }
    Ok(enrichment)
}

async fn execute(conn: &mut PgConnection, columns: &Columns) -> Result<(), sqlx::Error> {
    let zkb = &columns.zkb;
    sqlx::query_file!(
        "src/store/killmails/update.sql",
        &columns.killmail_id,
        &columns.killmail_time,
        &columns.hash as &[Option<String>],
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
        &columns.packed_document,
    )
    .execute(conn)
    .await?;
    Ok(())
}
