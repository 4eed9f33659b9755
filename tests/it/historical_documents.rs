//! The documents at the places that a historical query has found.

use sqlx::PgConnection;
use wanderer_kills::store::killmails::StoredKillmail;
use wanderer_kills::store::killmails::query::{self, HistoricalQuery, Order, Place};

use crate::historical_query::{enrichment, made, write};
use crate::store_samples::store;

/// Places and their documents.
async fn in_order(
    conn: &mut PgConnection,
    query: &HistoricalQuery,
) -> (Vec<Place>, Vec<StoredKillmail>) {
    let places = query::places(conn, query, None, 100).await.unwrap();
    let all = query::documents(conn, &places, false, usize::MAX)
        .await
        .unwrap();
    let ids: Vec<i64> = all.iter().map(|killmail| killmail.killmail_id).collect();
    let expected: Vec<i64> = places.iter().map(|place| place.killmail_id).collect();
    assert_eq!(ids, expected);
    assert_eq!(ids.len(), 20);
    (places, all)
}

#[tokio::test]
async fn documents_come_in_the_order_of_their_places_and_stop_at_a_size() {
    let (_database, store) = store().await;
    let enrichment = enrichment();
    write(&store, &made(31, 1..=20), &enrichment).await;
    let mut conn = query::connection(&store.reads.primary().history)
        .await
        .unwrap();
    let conn = &mut conn;
    let query = HistoricalQuery {
        order: Order::Oldest,
        ..HistoricalQuery::default()
    };
    in_order(conn, &query).await;
    let query = HistoricalQuery::default();
    let (places, all) = in_order(conn, &query).await;
    let first = query::documents(conn, &places, false, 1).await.unwrap();
    assert_eq!(first.len(), 1);
    let two = all[0].document.len() + 1;
    let cut = query::documents(conn, &places, false, two).await.unwrap();
    assert_eq!(cut.len(), 2);
    // The connection is as good as before.
    assert_eq!(
        query::places(conn, &query, None, 3).await.unwrap(),
        places[..3]
    );
}
