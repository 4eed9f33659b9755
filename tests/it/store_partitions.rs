//! Yearly partitions: what the planner knows of them.

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use wanderer_kills::domain::Killmail;
use wanderer_kills::store::{Store, killmails};

use crate::store_samples::{enrichment, killmail, storable, store};

/// Rows of 2026 that the planner knows of; negative where it was told nothing.
async fn known_rows(store: &Store, table: &str) -> i64 {
    sqlx::query_scalar("SELECT reltuples::bigint FROM pg_class WHERE relname = $1")
        .bind(format!("{table}_2026"))
        .fetch_one(&store.pool)
        .await
        .unwrap()
}

async fn store_history(store: &Store, killmails: impl Iterator<Item = Killmail>) {
    let batch: Vec<_> = killmails.map(storable).collect();
    let mut conn = store.pool.acquire().await.unwrap();
    killmails::upsert_history(&mut conn, &batch, &enrichment(), DateTime::<Utc>::MAX_UTC)
        .await
        .unwrap();
}

#[tokio::test]
async fn history_tells_the_planner_of_what_has_doubled() {
    let (_database, store) = store().await;
    for table in ["killmails", "attackers"] {
        assert!(known_rows(&store, table).await < 0, "{table}");
    }
    // Each batch finds what the ones before have left.
    for (ids, known) in [
        (1..=500, None),
        (501..=700, Some(500)),
        (701..=1500, Some(500)),
        (1501..=1501, Some(1500)),
    ] {
        store_history(&store, ids.map(killmail)).await;
        let Some(known) = known else { continue };
        assert_eq!(known_rows(&store, "killmails").await, known);
        assert_eq!(known_rows(&store, "attackers").await, 2 * known);
    }
}

#[tokio::test]
async fn a_statement_planned_for_an_empty_year_is_planned_anew() {
    let (_database, store) = store().await;
    let mut conn = store.pool.acquire().await.unwrap();
    let prepare =
        "PREPARE ask (bigint[]) AS SELECT hash FROM killmails WHERE killmail_id = ANY($1)";
    for statement in [prepare, "EXECUTE ask('{1}')"] {
        sqlx::raw_sql(statement).execute(&mut *conn).await.unwrap();
    }
    for ids in [1..=2000, 2001..=2001] {
        store_history(&store, ids.map(killmail)).await;
    }
    let plan: Vec<String> = sqlx::raw_sql("EXPLAIN EXECUTE ask('{1}')")
        .fetch_all(&mut *conn)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let plan = plan.join("\n");
    assert!(plan.contains("using killmails_2026_pkey"), "{plan}");
}
