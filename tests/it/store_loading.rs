//! Years of history that are loaded apart.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use wanderer_kills::domain::Killmail;
use wanderer_kills::store::killmails::{self, Change};
use wanderer_kills::store::loading::{self, YearLocks};
use wanderer_kills::store::{Store, partitions};

use crate::store_samples::{enrichment, killmail, storable, store, time};

const TOO_LONG: Duration = Duration::from_secs(30);

/// The same killmail, so many seconds into another year.
fn in_year(year: i32, id: i64) -> Killmail {
    Killmail {
        killmail_time: time(&format!("{year}-01-01T00:00:00Z")) + TimeDelta::seconds(id),
        ..killmail(id)
    }
}

async fn write(store: &Store, killmails: &[Killmail]) -> Vec<Change> {
    write_announced(store, killmails, DateTime::<Utc>::MAX_UTC).await
}

async fn write_announced(
    store: &Store,
    killmails: &[Killmail],
    since: DateTime<Utc>,
) -> Vec<Change> {
    let batch: Vec<_> = killmails.iter().cloned().map(storable).collect();
    let mut transaction = store.pool.begin().await.unwrap();
    let changes = killmails::upsert_history(&mut transaction, &batch, &enrichment(), since)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    changes
}

async fn numbers(pool: &PgPool, query: &str) -> Vec<i64> {
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn ids(pool: &PgPool) -> Vec<i64> {
    numbers(pool, "select killmail_id from killmails order by 1").await
}

/// What the indexes of a table say, without their names.
async fn indexes(pool: &PgPool, table: &str) -> BTreeSet<String> {
    let definitions: Vec<String> = sqlx::query_scalar(
        "select substring(pg_get_indexdef(indexrelid) from 'USING .*') from pg_index
         where indrelid = $1::regclass and indisvalid",
    )
    .bind(table)
    .fetch_all(pool)
    .await
    .unwrap();
    definitions.into_iter().collect()
}

async fn finish(store: &Store, year: i32) {
    loading::build_indexes(store, year).await.unwrap();
    assert!(loading::attach(&store.pool, year).await.unwrap());
}

#[tokio::test]
async fn a_year_is_seen_all_at_once_with_everything_that_other_years_have() {
    let (_database, store) = store().await;
    assert!(loading::begin(&store.pool, 2019).await.unwrap());
    // The years of the batch lie on both sides.
    let killmails = [in_year(2019, 1), in_year(2018, 2), in_year(2019, 3)];
    assert_eq!(write(&store, &killmails).await, [Change::New; 3]);
    assert_eq!(write(&store, &killmails).await, [Change::Unchanged; 3]);
    let valued = Killmail {
        zkb: Some(wanderer_kills::domain::Zkb {
            total_value: Some(7.5),
            ..Default::default()
        }),
        ..in_year(2019, 1)
    };
    assert_eq!(write(&store, &[valued]).await, [Change::Updated]);
    assert_eq!(ids(&store.pool).await, [2]);
    let marks = "select extract(year from day)::bigint from statistics_marks group by 1 order by 1";
    assert_eq!(numbers(&store.pool, marks).await, [2018]);

    finish(&store, 2019).await;
    assert_eq!(ids(&store.pool).await, [1, 2, 3]);
    assert_eq!(numbers(&store.pool, marks).await, [2018, 2019]);
    let attackers = "select count(*) from attackers where killmail_id in (1, 3)";
    assert_eq!(numbers(&store.pool, attackers).await, [4]);
    let worth = "select total_value::bigint from killmails where killmail_id = 1";
    assert_eq!(numbers(&store.pool, worth).await, [8]);
    for table in ["killmails", "attackers"] {
        let of = async |year| indexes(&store.pool, &format!("{table}_{year}")).await;
        assert_eq!(of(2019).await, of(2018).await, "{table}");
        let attached = format!(
            "select count(*) from pg_inherits where inhrelid in (
                select indexrelid from pg_index where indrelid = '{table}_2019'::regclass)"
        );
        let wanted = i64::try_from(of(2018).await.len()).unwrap();
        assert_eq!(numbers(&store.pool, &attached).await, [wanted], "{table}");
    }
    assert!(loading::years(&store.pool).await.unwrap().is_empty());
    assert!(!loading::attach(&store.pool, 2019).await.unwrap());
    // From now on it is a year like any other.
    assert_eq!(write(&store, &[in_year(2019, 4)]).await, [Change::New]);
    assert_eq!(ids(&store.pool).await, [1, 2, 3, 4]);
    assert!(!loading::begin(&store.pool, 2019).await.unwrap());
}

#[tokio::test]
async fn what_listeners_hear_of_is_not_written_apart() {
    let (_database, store) = store().await;
    assert!(loading::begin(&store.pool, 2019).await.unwrap());
    let [old, first, last] = [1, 2, 3].map(|id| in_year(2019, id));
    // Apart already when somebody announces it.
    write(&store, std::slice::from_ref(&last)).await;
    let since = first.killmail_time;
    let changes = write_announced(&store, &[old, first, last], since).await;
    assert_eq!(changes, [Change::New; 3]);
    assert_eq!(ids(&store.pool).await, [2, 3]);
    finish(&store, 2019).await;
    assert_eq!(ids(&store.pool).await, [1, 2, 3]);
}

#[tokio::test]
async fn what_comes_otherwise_meanwhile_is_seen_at_once_and_stays_as_it_came() {
    let (_database, store) = store().await;
    // The partition is there, and empty.
    let mut conn = store.pool.acquire().await.unwrap();
    partitions::ensure(&mut conn, &[2019]).await.unwrap();
    assert!(loading::begin(&store.pool, 2019).await.unwrap());
    write(&store, &[in_year(2019, 1), in_year(2019, 2)]).await;

    let live = Killmail {
        hash: Some("f".repeat(40).parse().unwrap()),
        ..in_year(2019, 2)
    };
    let batch = [live, in_year(2019, 3)].map(storable);
    let changes = killmails::upsert(&mut conn, &batch, &enrichment())
        .await
        .unwrap();
    assert_eq!(changes, [Change::New; 2]);
    assert_eq!(ids(&store.pool).await, [2, 3]);
    // It is known there, so history does not write it apart.
    assert_eq!(
        write(&store, &[in_year(2019, 3)]).await,
        [Change::Unchanged]
    );

    finish(&store, 2019).await;
    assert_eq!(ids(&store.pool).await, [1, 2, 3]);
    let hashes = "select killmail_id from killmails where hash = repeat('f', 40)";
    assert_eq!(numbers(&store.pool, hashes).await, [2]);
    let attackers = "select count(*) from attackers group by killmail_id";
    assert_eq!(numbers(&store.pool, attackers).await, [2, 2, 2]);
}

#[tokio::test]
async fn a_year_with_killmails_and_years_without_partitions_are_not_loaded_apart() {
    let (_database, store) = store().await;
    write(&store, &[in_year(2019, 1)]).await;
    for year in [2002, 2019, 2100] {
        assert!(!loading::begin(&store.pool, year).await.unwrap(), "{year}");
    }
    assert!(loading::years(&store.pool).await.unwrap().is_empty());
}

#[tokio::test]
async fn where_no_schema_may_be_made_and_where_somebody_reads_it_is_the_usual_way() {
    let (_database, store) = store().await;
    let mut conn = store.pool.acquire().await.unwrap();
    partitions::ensure(&mut conn, &[2019]).await.unwrap();
    let mut reader = store.pool.begin().await.unwrap();
    sqlx::query("select count(*) from killmails")
        .execute(&mut *reader)
        .await
        .unwrap();
    assert!(!loading::begin(&store.pool, 2019).await.unwrap());
    reader.rollback().await.unwrap();

    sqlx::raw_sql(
        "do $$ begin
            execute format('create role %I login', current_database() || '_guest');
            execute format('grant %I to current_user', current_database() || '_guest');
        end $$;",
    )
    .execute(&store.pool)
    .await
    .unwrap();
    let guest = sqlx::postgres::PgPoolOptions::new()
        .after_connect(|conn, _| {
            Box::pin(async move {
                let set = "select set_config('role', current_database() || '_guest', false)";
                sqlx::query(set).execute(conn).await.map(drop)
            })
        })
        .connect_with((*store.pool.connect_options()).clone())
        .await
        .unwrap();
    assert!(!loading::begin(&guest, 2017).await.unwrap());
    guest.close().await;
    sqlx::raw_sql(
        "do $$ begin execute format('drop role %I', current_database() || '_guest'); end $$;",
    )
    .execute(&store.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn nobody_finishes_what_somebody_loads() {
    let (_database, store) = store().await;
    let mut one = YearLocks::open(&store).await.unwrap();
    let mut other = YearLocks::open(&store).await.unwrap();
    assert!(one.load(2019).await.unwrap() && other.load(2019).await.unwrap());
    one.release(2019).await.unwrap();
    assert!(!one.finish(2019).await.unwrap());
    assert!(one.finish(2018).await.unwrap());
    assert!(!other.load(2018).await.unwrap() && !other.finish(2018).await.unwrap());
    other.close().await.unwrap();
    // The server sees to a closed connection in its own time.
    let taken = async {
        while !one.finish(2019).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TOO_LONG, taken).await.unwrap();
}
