//! The killmails at places that are known.

use futures::TryStreamExt as _;
use sqlx::PgConnection;

use super::Place;
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
    let mut rows = sqlx::query_as!(
        StoredKillmail,
        r#"
        SELECT k.killmail_id AS "killmail_id!", k.document AS "document!", k.items
        FROM unnest($1::timestamptz[], $2::bigint[]) WITH ORDINALITY AS w (killmail_time, killmail_id, place)
        CROSS JOIN LATERAL (
            SELECT killmail_id, document, CASE WHEN $3 THEN items::text END AS items
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
    let mut read = Vec::with_capacity(places.len());
    let mut bytes = 0_usize;
    while bytes < most_bytes {
        let next = rows.try_next().await;
        let Some(row) = next.map_err(Error::query("reading killmails of a query"))? else {
            break;
        };
        let items = row.items.as_ref().map_or(0, String::len);
        bytes = bytes
            .saturating_add(row.document.len())
            .saturating_add(items);
        read.push(row);
    }
    Ok(read)
}
