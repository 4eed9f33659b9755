//! One ingester a database, and pools that don't hang.

use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::store::Store;
use wanderer_kills::store::leader::{Duty, Leadership};

use crate::store_samples::store;

/// Ends the server's side of the lock's connection.
async fn cut(store: &Store) {
    let pids: Vec<i32> = sqlx::query_scalar(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_all(&store.pool)
    .await
    .unwrap();
    assert_eq!(pids.len(), 1);
    let _: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1, 5000)")
        .bind(pids[0])
        .fetch_one(&store.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn one_leads_until_it_lets_go() {
    let (_database, store) = store().await;
    let mut first = Leadership::try_acquire(&store, Duty::Ingest)
        .await
        .unwrap()
        .unwrap();
    assert!(
        Leadership::try_acquire(&store, Duty::Ingest)
            .await
            .unwrap()
            .is_none()
    );
    first.check().await.unwrap();
    first.release().await.unwrap();
    let second = Leadership::try_acquire(&store, Duty::Ingest).await.unwrap();
    assert!(second.is_some());
}

#[tokio::test]
async fn a_cut_leader_notices_and_the_next_one_leads() {
    let (_database, store) = store().await;
    let mut first = Leadership::try_acquire(&store, Duty::Ingest)
        .await
        .unwrap()
        .unwrap();
    cut(&store).await;
    let mut second = Leadership::try_acquire(&store, Duty::Ingest)
        .await
        .unwrap()
        .unwrap();
    let error = first.check().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(first.release().await.is_err());
    second.check().await.unwrap();
}

#[tokio::test]
async fn duties_do_not_exclude_each_other() {
    let (_database, store) = store().await;
    let ingest = Leadership::try_acquire(&store, Duty::Ingest).await.unwrap();
    let upkeep = Leadership::try_acquire(&store, Duty::Upkeep).await.unwrap();
    assert!(ingest.is_some() && upkeep.is_some());
    let another = Leadership::try_acquire(&store, Duty::Upkeep).await.unwrap();
    assert!(another.is_none());
}

#[tokio::test]
async fn readers_have_connections_of_their_own() {
    let (database, _store) = store().await;
    let config = DatabaseConfig {
        database_connections: 3,
        ..DatabaseConfig::default()
    };
    let store = Store::connect(database.url(), &config).await.unwrap();
    let _ingester = store.pool.begin().await.unwrap();
    let pools = store.reads.primary();
    for (pool, expected) in [(&pools.reads, "30s"), (&pools.history, "5s")] {
        let mut reader = pool.acquire().await.unwrap();
        let timeout: String = sqlx::query_scalar("SHOW statement_timeout")
            .fetch_one(&mut *reader)
            .await
            .unwrap();
        assert_eq!(timeout, expected);
        assert!(pool.try_acquire().is_none());
    }
}
