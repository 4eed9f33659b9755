//! How much the database reads for statistics over tens of thousands of killmails: by index alone, and not much more
//! than what is counted.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use wanderer_kills::ingest::statistics;
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::store::stats::activity::{self, Bucket, Of};
use wanderer_kills::store::stats::summary::{self, Party};
use wanderer_kills::store::stats::top::{self, Subject};
use wanderer_kills::store::stats::{self, Question, Scope, Window, related, valuable};
use wanderer_kills::store::{Result, Store};

use crate::historical_plans::FILL;
use crate::store_samples::{store, time};
use crate::support::postgres::{TestDatabase, execute};

/// Statistics are made of the last two months of the four years; what has no mark counts as made.
const MARK: &str = "
    INSERT INTO statistics_marks (day)
    SELECT * FROM generate_series('2026-11-01'::date, '2026-12-31'::date, interval '1 day');
    ANALYZE;
";

/// Rows read for each that is counted, and besides.
const WASTE: i64 = 4;
const BESIDES: i64 = 100;

static FILLED: OnceCell<(TestDatabase, String)> = OnceCell::const_new();

async fn filled() -> Store {
    let (_, url) = FILLED
        .get_or_init(|| async {
            let (database, store) = store().await;
            let url = database.url().to_owned();
            execute(&url, FILL).await.unwrap();
            execute(&url, MARK).await.unwrap();
            while statistics::settle(&store, Duration::ZERO, Duration::ZERO)
                .await
                .unwrap()
                .is_some()
            {}
            execute(&url, "ANALYZE").await.unwrap();
            (database, url)
        })
        .await;
    Store::connect(url, &DatabaseConfig::default())
        .await
        .unwrap()
}

fn window(from: &str, to: &str) -> Question {
    let (from, to) = (time(from), time(to));
    Question {
        window: Window { from, to },
        npc: None,
    }
}

fn month() -> Question {
    window("2026-11-05T12:00:00Z", "2026-12-05T12:00:00Z")
}

fn year() -> Question {
    window("2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z")
}

/// What the read counted, and how many rows it had to read for it.
async fn read(
    read: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<i64>>,
) -> (i64, i64) {
    let store = filled().await;
    let mut transaction = stats::begin(&store.reads.primary().history).await.unwrap();
    let counted = read(&mut transaction).await.unwrap();
    let (one_by_one, fetched): (i64, i64) = sqlx::query_as(
        "SELECT sum(seq_tup_read)::bigint, sum(idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(one_by_one, 0, "a table was read from end to end");
    assert!(counted > 0, "nothing found");
    (counted, fetched)
}

fn assert_near((counted, fetched): (i64, i64)) {
    assert!(
        fetched <= WASTE * counted + BESIDES,
        "{fetched} rows read for {counted}"
    );
}

#[tokio::test]
async fn top_ships_of_a_region_come_from_whole_days() {
    let (counted, fetched) = read(|conn| {
        Box::pin(async move {
            let scope = Scope::Region(10_000_002);
            let found = top::entries(conn, Subject::ShipUsed, scope, month(), 100).await?;
            Ok(found.iter().map(|entry| entry.tally.killmails).sum())
        })
    })
    .await;
    assert_near((counted, fetched));
}

#[tokio::test]
async fn top_alliances_come_from_whole_days() {
    let read = read(|conn| {
        Box::pin(async move {
            let subject = Subject::Alliance;
            let found = top::entries(conn, subject, Scope::Everywhere, month(), 100).await?;
            Ok(found.iter().map(|entry| entry.tally.killmails).sum())
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn the_most_valuable_come_from_whole_days() {
    let read = read(|conn| {
        Box::pin(async move {
            let found = valuable::killmails(conn, Scope::Everywhere, month(), 10).await?;
            assert_eq!(found.len(), 10);
            // A day has 41 killmails here, all of which are among its hundred.
            Ok(30 * 41)
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn activity_of_a_region_comes_from_whole_days() {
    let read = read(|conn| {
        Box::pin(async move {
            let of = Of::Region(10_000_002);
            let found = activity::buckets(conn, of, month(), Bucket::Day).await?;
            Ok(found.iter().map(|bucket| bucket.tally.killmails).sum())
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn activity_of_a_corporation_is_along_its_indexes() {
    let read = read(|conn| {
        Box::pin(async move {
            let of = Of::Corporation(98_000_012);
            let found = activity::buckets(conn, of, year(), Bucket::Day).await?;
            Ok(found.iter().map(|bucket| bucket.tally.killmails).sum())
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn a_summary_is_along_its_indexes() {
    let read = read(|conn| {
        Box::pin(async move {
            let found = summary::of(conn, Party::Character(90_000_007), year()).await?;
            Ok(found.kills.total.killmails + found.losses.total.killmails)
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn a_summary_of_kills_without_npcs_is_along_its_indexes() {
    let read = read(|conn| {
        Box::pin(async move {
            let question = Question {
                npc: Some(false),
                ..year()
            };
            let found = summary::of(conn, Party::Alliance(99_000_003), question).await?;
            Ok(found.kills.total.killmails + found.losses.total.killmails)
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn activity_of_a_system_comes_from_whole_days() {
    let read = read(|conn| {
        Box::pin(async move {
            let of = Of::System(30_000_142);
            let found = activity::buckets(conn, of, month(), Bucket::Hour).await?;
            Ok(found.iter().map(|bucket| bucket.tally.killmails).sum())
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn activity_of_a_ship_type_is_along_its_indexes() {
    let read = read(|conn| {
        Box::pin(async move {
            let of = Of::ShipType(600);
            let found = activity::buckets(conn, of, month(), Bucket::Day).await?;
            Ok(found.iter().map(|bucket| bucket.tally.killmails).sum())
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn the_most_valuable_of_a_region_are_along_its_index() {
    let read = read(|conn| {
        Box::pin(async move {
            let scope = Scope::Region(10_000_002);
            let found = valuable::killmails(conn, scope, month(), 100).await?;
            let of = Of::Region(10_000_002);
            let there = activity::buckets(conn, of, month(), Bucket::Day).await?;
            assert!(!found.is_empty());
            Ok(there.iter().map(|bucket| bucket.tally.killmails).sum())
        })
    });
    assert_near(read.await);
}

#[tokio::test]
async fn a_battle_is_along_its_system() {
    let read = read(|conn| {
        Box::pin(async move {
            let found = related::of(conn, 50_000, chrono::TimeDelta::hours(4)).await?;
            Ok(i64::try_from(found.map_or(0, |found| found.killmails.len())).unwrap_or(0))
        })
    });
    assert_near(read.await);
}
