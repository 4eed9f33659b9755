//! Two databases that should hold the same killmails.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use wanderer_kills::domain::{Killmail, wire};
use wanderer_kills::store::document::Document;
use wanderer_kills::store::items::Items;

use super::live::TOO_LONG;

/// Every killmail of a database, whole. Names are left out: they are each database's own.
pub(crate) async fn killmails(url: &str) -> BTreeMap<i64, Killmail> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows: Vec<(i64, Document, Option<Items>)> = sqlx::query_as(
        "SELECT killmail_id, coalesce(packed_document, convert_to(document, 'UTF8')),
             coalesce(array_send(item_stacks), convert_to(items::text, 'UTF8')) FROM killmails",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    rows.into_iter()
        .map(|(id, document, items)| (id, wire::read(&document.0, items.as_deref()).unwrap()))
        .collect()
}

/// Waits until the second database holds what the first does, and nothing else.
pub(crate) async fn becomes_equal(first: &str, second: &str) {
    let equal = async {
        while killmails(second).await != killmails(first).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(TOO_LONG, equal).await.is_err() {
        let (wanted, found) = (killmails(first).await, killmails(second).await);
        let missing: Vec<_> = wanted.keys().filter(|id| !found.contains_key(id)).collect();
        let differing = wanted
            .iter()
            .find(|(id, killmail)| found.get(id).is_some_and(|found| found != *killmail))
            .map(|(id, killmail)| (killmail, found.get(id)));
        panic!(
            "{} of {} there; missing {missing:?}; differing {differing:#?}",
            found.len(),
            wanted.len()
        );
    }
}
