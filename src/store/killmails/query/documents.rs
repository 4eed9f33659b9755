//! The killmails at places that are known.

use sqlx::PgConnection;

use super::Place;
use crate::store::document::{Document, up_to};
use crate::store::items::Items;
use crate::store::killmails::StoredKillmail;
use crate::store::{Error, Result};

/// The killmails at `places`, which are in order of time and come so, until `most_bytes` of text are together: at least one, and the
/// rest of the places is for another call. Places without a killmail are passed over.
///
/// # Errors
/// When the database refuses.
pub async fn documents(
    conn: &mut PgConnection,
    places: &[Place],
    with_items: bool,
    most_bytes: usize,
) -> Result<Vec<StoredKillmail>> {
    let (Some(first), Some(last)) = (places.first(), places.last()) else {
        return Ok(Vec::new());
    };
    let newest_first = first > last;
    let (oldest, newest) = if newest_first {
        (last, first)
    } else {
        (first, last)
    };
    let ids: Vec<i64> = places.iter().map(|place| place.killmail_id).collect();
    let rows = sqlx::query_as!(
        StoredKillmail,
        r#"
        SELECT k.killmail_id AS "killmail_id!",
            coalesce(k.packed_document, convert_to(k.document, 'UTF8')) AS "document!: Document",
            CASE WHEN $4 THEN coalesce(array_send(k.item_stacks), convert_to(k.items::text, 'UTF8')) END
                AS "items: Items"
        FROM (
            SELECT killmail_id, packed_document, document, item_stacks, items
            FROM killmails
            WHERE killmail_id = ANY($1) AND killmail_time >= $2 AND killmail_time <= $3
            ORDER BY CASE WHEN $5 THEN killmail_time END DESC, CASE WHEN $5 THEN killmail_id END DESC,
                killmail_time, killmail_id
            OFFSET 0
        ) AS k
        "#,
        &ids,
        oldest.killmail_time,
        newest.killmail_time,
        with_items,
        newest_first,
    )
    .fetch(conn);
    let size = |row: &StoredKillmail| {
        let items = row.items.as_deref().map_or(0, str::len);
        row.document.len().saturating_add(items)
    };
    up_to(most_bytes, rows, size)
        .await
        .map_err(Error::query("reading killmails of a query"))
}
