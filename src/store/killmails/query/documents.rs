//! The killmails at places that are known.

use sqlx::PgConnection;

use super::Place;
use crate::store::document::{Document, up_to};
use crate::store::items::Items;
use crate::store::killmails::StoredKillmail;
use crate::store::{Error, Result};

/// The killmails at `places`, in their order, until `most_bytes` of text are together: at least one, and the
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
    let (times, ids): (Vec<_>, Vec<_>) = places
        .iter()
        .map(|place| (place.killmail_time, place.killmail_id))
        .unzip();
    let rows = sqlx::query_as!(
        StoredKillmail,
        r#"
        SELECT k.killmail_id AS "killmail_id!", k.document AS "document!: Document", k.items AS "items: Items"
        FROM unnest($1::timestamptz[], $2::bigint[]) WITH ORDINALITY AS w (killmail_time, killmail_id, place)
        CROSS JOIN LATERAL (
            SELECT killmail_id, coalesce(packed_document, convert_to(document, 'UTF8')) AS document,
                CASE WHEN $3 THEN coalesce(array_send(item_stacks), convert_to(items::text, 'UTF8')) END AS items
            FROM killmails
            WHERE killmail_id = w.killmail_id AND killmail_time = w.killmail_time
            LIMIT 1
        ) AS k
        ORDER BY w.place
        "#,
        &times,
        &ids,
        with_items,
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
