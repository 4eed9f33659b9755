//! Killmails and their attackers.

mod attackers;
mod by_day;
mod complete;
mod copy;
pub mod history;
mod insert;
mod merge;
pub mod query;
mod recent;
mod ship_groups;
mod stored;
mod update;
mod upsert;

use sqlx::PgExecutor;

use super::document::Document;
use super::items::Items;
use super::reads::Reads;
use super::{Error, Result};
use crate::domain::{FeedSequence, Killmail};

pub use by_day::{by_day, oldest_time};
pub use complete::{Completion, PendingKillmail, complete, pending, pending_count};
pub use recent::{RecentKillmail, SystemCount, count_since, recent};
pub use upsert::{upsert, upsert_history};

/// A killmail ready to be written.
#[derive(Debug, Clone)]
pub struct StorableKillmail {
    /// The facts.
    pub killmail: Killmail,
    /// Its canonical document, without items.
    pub document: String,
    /// Names, types or places were still unknown when it was rendered.
    pub pending_names: bool,
}

/// What a write changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not stored before.
    New,
    /// Stored before; zKillboard's values or labels (or the hash) are different now.
    Updated,
    /// Stored before, nothing new.
    Unchanged,
    /// The same id is stored with another time: not written.
    Conflict,
}

/// A stored killmail as it is served.
#[derive(Debug, Clone)]
pub struct StoredKillmail {
    /// Its id.
    pub killmail_id: i64,
    /// The canonical document, without items.
    pub document: String,
    /// Items as ESI writes them, where asked for.
    pub items: Option<Items>,
}

/// One killmail; `None` when it is not stored.
///
/// # Errors
/// When the database refuses.
pub async fn get(
    executor: impl PgExecutor<'_>,
    killmail_id: i64,
    with_items: bool,
) -> Result<Option<StoredKillmail>> {
    sqlx::query_as!(
        StoredKillmail,
        r#"
        SELECT killmail_id, coalesce(packed_document, convert_to(document, 'UTF8')) AS "document!: Document",
            CASE WHEN $2 THEN coalesce(array_send(item_stacks), convert_to(items::text, 'UTF8')) END AS "items: Items"
        FROM killmails
        WHERE killmail_id = $1
        LIMIT 1
        "#,
        killmail_id,
        with_items,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading a killmail"))
}

/// As [`get`], of the replica first: what was announced a moment ago may be on the primary alone.
///
/// # Errors
/// When the primary refuses.
pub async fn find(
    reads: &Reads,
    killmail_id: i64,
    with_items: bool,
) -> Result<Option<StoredKillmail>> {
    let chosen = reads.holding(FeedSequence(0)).await;
    match get(&chosen.pools.reads, killmail_id, with_items).await {
        Ok(None) | Err(_) if chosen.head.is_some() => {
            get(&reads.primary().reads, killmail_id, with_items).await
        }
        found => found,
    }
}

/// The highest killmail id stored; `None` in an empty database.
///
/// # Errors
/// When the database refuses.
pub async fn newest_id(executor: impl PgExecutor<'_>) -> Result<Option<i64>> {
    sqlx::query_scalar!("SELECT max(killmail_id) FROM killmails")
        .fetch_one(executor)
        .await
        .map_err(Error::query("reading the newest killmail's id"))
}

/// Which of `ids` are stored.
///
/// # Errors
/// When the database refuses.
pub async fn known(executor: impl PgExecutor<'_>, ids: &[i64]) -> Result<Vec<i64>> {
    sqlx::query_scalar!(
        "SELECT killmail_id FROM killmails WHERE killmail_id = ANY($1)",
        ids
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("looking up known killmails"))
}
