//! What is stored of a batch's killmails.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::Zkb;
use crate::store::document::Document;
use crate::store::items::Items;
use crate::store::{Error, Result};

/// A stored killmail, as far as a later source can change it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) killmail_id: i64,
    pub(super) killmail_time: DateTime<Utc>,
    pub(super) hash: Option<String>,
    pub(super) pending_names: bool,
    pub(super) zkb: Zkb,
    /// Document and items; only read by [`lock`].
    pub(super) document: Option<String>,
    pub(super) items: Option<Items>,
}

struct Row {
    killmail_id: i64,
    killmail_time: DateTime<Utc>,
    hash: Option<String>,
    pending_names: bool,
    location_id: Option<i64>,
    fitted_value: Option<f64>,
    dropped_value: Option<f64>,
    destroyed_value: Option<f64>,
    total_value: Option<f64>,
    total_droppable_value: Option<f64>,
    points: Option<i64>,
    npc: Option<bool>,
    solo: Option<bool>,
    awox: Option<bool>,
    labels: Option<Vec<String>>,
    document: Option<Document>,
    items: Option<Items>,
}

impl From<Row> for Stored {
    fn from(row: Row) -> Self {
        Self {
            killmail_id: row.killmail_id,
            killmail_time: row.killmail_time,
            hash: row.hash,
            pending_names: row.pending_names,
            zkb: Zkb {
                location_id: row.location_id,
                fitted_value: row.fitted_value,
                dropped_value: row.dropped_value,
                destroyed_value: row.destroyed_value,
                total_value: row.total_value,
                total_droppable_value: row.total_droppable_value,
                points: row.points,
                npc: row.npc,
                solo: row.solo,
                awox: row.awox,
                labels: row.labels,
            },
            document: row.document.map(String::from),
            items: row.items,
        }
    }
}

/// Reads what there is of `ids`, without documents: a batch of duplicates costs this one statement.
pub(super) async fn load(conn: &mut PgConnection, ids: &[i64]) -> Result<Vec<Stored>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT killmail_id, killmail_time, hash, pending_names, location_id, fitted_value, dropped_value,
            destroyed_value, total_value, total_droppable_value, points, npc, solo, awox, labels,
            NULL::bytea AS "document: Document", NULL::bytea AS "items: Items"
        FROM killmails
        WHERE killmail_id = ANY($1)
        "#,
        ids,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("reading stored killmails"))?;
    Ok(rows.into_iter().map(Stored::from).collect())
}

/// Reads `ids` with their documents and keeps other writers away from them until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, ids: &[i64]) -> Result<Vec<Stored>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT killmail_id, killmail_time, hash, pending_names, location_id, fitted_value, dropped_value,
            destroyed_value, total_value, total_droppable_value, points, npc, solo, awox, labels,
            coalesce(packed_document, convert_to(document, 'UTF8')) AS "document: Document",
            coalesce(array_send(item_stacks), convert_to(items::text, 'UTF8')) AS "items: Items"
        FROM killmails
        WHERE killmail_id = ANY($1)
        ORDER BY killmail_id, killmail_time
        FOR NO KEY UPDATE
        "#,
        ids,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("locking stored killmails"))?;
    Ok(rows.into_iter().map(Stored::from).collect())
}
