//! Killmails that are no longer kept go, and nobody who listens notices.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use wanderer_kills::domain::{FeedSequence, Filter, Killmail};
use wanderer_kills::feed::Feed;
use wanderer_kills::ingest::backfill::{
    self, BackfillDeps, BackfillRequest, DayRange, Recheck, Source,
};
use wanderer_kills::ingest::reconcile::Unwatched;
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::ingest::retention::{self, Expired, RetentionDeps};
use wanderer_kills::ingest::statistics;
use wanderer_kills::runtime::clock::{SharedClock, SystemClock, TestClock};
use wanderer_kills::runtime::config::{
    BackfillConfig, BackfillSource, FeedConfig, IngestConfig, RetentionConfig,
};
use wanderer_kills::runtime::supervisor::Supervisor;
use wanderer_kills::store::Store;
use wanderer_kills::store::stats::marks;

use crate::store_samples::{append, killmail, store, time, upsert};
use crate::support::app::TestApp;
use crate::support::backfill::day;
use crate::support::binary::ServiceCommand;
use crate::support::postgres;

/// Longest wait for something that has to come.
const PATIENCE: Duration = Duration::from_mins(1);
const RETENTION: RetentionConfig = RetentionConfig { retention_days: 90 };

/// With ninety days, killmails from 2025-12-11 on are kept.
fn clock() -> Arc<TestClock> {
    TestClock::at(time("2026-03-11T18:00:00Z"))
}

fn deps(store: &Store) -> RetentionDeps {
    RetentionDeps {
        store: store.clone(),
        clock: clock(),
        retention: RETENTION,
        first: Duration::ZERO,
    }
}

fn of(id: i64, at: &str) -> Killmail {
    Killmail {
        killmail_time: time(at) + TimeDelta::seconds(id),
        ..killmail(id)
    }
}

/// Killmails of many years: ids of the seven that are kept come last.
fn history() -> Vec<Killmail> {
    let years = [
        "2001-05-01",
        "2016-02-29",
        "2023-01-01",
        "2024-12-31",
        "2025-03-01",
        "2025-12-10",
    ];
    let mut killmails: Vec<Killmail> = (0..)
        .zip(years)
        .flat_map(|(place, day)| {
            let at = format!("{day}T00:00:00Z");
            (1..=300).map(move |number| of(place * 1_000 + number, &at))
        })
        .collect();
    killmails.extend((9_001..=9_007).map(|id| of(id, "2025-12-11T00:00:00Z")));
    killmails
}

async fn count(store: &Store, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(&store.pool)
        .await
        .unwrap()
}

async fn execute(store: &Store, statement: &'static str) {
    sqlx::query(statement).execute(&store.pool).await.unwrap();
}

async fn settle_statistics(store: &Store) {
    while statistics::settle(store, Duration::ZERO, Duration::ZERO)
        .await
        .unwrap()
        .is_some()
    {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn years_are_dropped_the_rest_goes_in_batches_and_listeners_lose_nothing() {
    let (_database, store) = store().await;
    let killmails = history();
    for part in killmails.chunks(500) {
        upsert(&store, part.to_vec()).await;
    }
    // On the log: one of a year that would be dropped else, two of the horizon's year, those that are kept.
    let named: Vec<Killmail> = killmails
        .iter()
        .filter(|it| [2_005, 5_001, 5_300].contains(&it.killmail_id) || it.killmail_id > 9_000)
        .cloned()
        .collect();
    append(&store, &named).await;
    execute(
        &store,
        "INSERT INTO value_attempts (killmail_id, recorded_at)
         VALUES (1001, '2025-01-01'), (4001, '2025-01-01'), (9001, '2025-01-01')",
    )
    .await;

    let supervisor = Supervisor::new();
    let config = FeedConfig {
        ring_events: NonZeroUsize::MIN,
        ..FeedConfig::default()
    };
    // Its pauses have to be real ones: on a clock that leaps the log would be forgotten.
    let feed = Feed::start(store.clone(), config, SystemClock::shared(), &supervisor)
        .await
        .unwrap();
    let events = feed.reader(Some(FeedSequence(0)), Filter::default());
    let mut listener: Listener = Box::pin(events.into_stream());
    let mut heard = vec![next(&mut listener).await];

    let expired = retention::round(&deps(&store)).await.unwrap();
    let expected = Expired {
        years: vec![2016, 2024],
        years_named: vec![2023],
        years_busy: Vec::new(),
        killmails: 300 + 299 + 300 + 298,
    };
    assert_eq!(expired, expected);
    // What is announced meanwhile comes as well, however old.
    let late = of(8_000, "2016-07-01T00:00:00Z");
    upsert(&store, vec![late.clone()]).await;
    append(&store, std::slice::from_ref(&late)).await;
    while heard.len() < named.len() + 1 {
        heard.push(next(&mut listener).await);
    }
    let mut announced: Vec<i64> = named.iter().map(|it| it.killmail_id).collect();
    announced.push(8_000);
    assert_eq!(heard, announced);

    check_stored(&store, announced).await;
    check_later_rounds(&store).await;
    supervisor.shut_down();
    supervisor.join().await.unwrap();
}

/// These killmails are stored, with all that belongs to them, and no others.
async fn check_stored(store: &Store, mut expected: Vec<i64>) {
    let stored: Vec<i64> = sqlx::query_scalar("SELECT killmail_id FROM killmails ORDER BY 1")
        .fetch_all(&store.pool)
        .await
        .unwrap();
    expected.sort_unstable();
    assert_eq!(stored, expected);
    let attackers = count(store, "SELECT count(*) FROM attackers").await;
    assert_eq!(attackers, 2 * i64::try_from(expected.len()).unwrap());
    let attempts = count(store, "SELECT sum(killmail_id)::bigint FROM value_attempts").await;
    assert_eq!(attempts, 9_001);
}

/// What the log names stays until it is forgotten; then there is nothing left to do.
async fn check_later_rounds(store: &Store) {
    assert_eq!(
        retention::round(&deps(store)).await.unwrap(),
        Expired {
            years_named: vec![2016, 2023],
            ..Expired::default()
        }
    );
    // Once the log has forgotten them, nothing keeps them.
    execute(store, "DELETE FROM feed").await;
    let last = retention::round(&deps(store)).await.unwrap();
    assert_eq!(
        last,
        Expired {
            years: vec![2016, 2023],
            killmails: 2,
            ..Expired::default()
        }
    );
    let none = retention::round(&deps(store)).await.unwrap();
    assert_eq!(none, Expired::default(), "there is nothing left to do");
    let years: Vec<i32> = wanderer_kills::store::retention::years(&store.pool)
        .await
        .unwrap();
    assert!(years.iter().all(|year| *year >= 2025), "{years:?}");
}

type Listener = std::pin::Pin<
    Box<
        dyn futures::Stream<Item = wanderer_kills::feed::Result<Arc<wanderer_kills::FeedEvent>>>
            + Send,
    >,
>;

async fn next(listener: &mut Listener) -> i64 {
    let event = tokio::time::timeout(PATIENCE, listener.next())
        .await
        .unwrap();
    event.unwrap().unwrap().killmail_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_those_of_what_is_kept() {
    let (database, store) = store().await;
    for part in history().chunks(500) {
        upsert(&store, part.to_vec()).await;
    }
    settle_statistics(&store).await;
    let app = TestApp::serving(database.url(), clock()).await;
    let kills = async |from: &str| {
        let path = format!(
            "/api/stats/activity?system=30000142&bucket=day&from={from}-01-01&to={from}-12-31"
        );
        let answer = app.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let buckets = answer.json()["buckets"].as_array().unwrap().clone();
        buckets
            .iter()
            .map(|it| it["kills"]["killmails"].as_i64().unwrap())
            .sum::<i64>()
    };
    assert_eq!((kills("2016").await, kills("2025").await), (300, 607));
    retention::round(&deps(&store)).await.unwrap();
    assert!(marks::count(&store.pool).await.unwrap() > 0);
    // Other windows than before, so that no answer is an old one.
    let after = app
        .get("/api/stats/activity?system=30000142&bucket=day&from=2025-01-01&to=2025-12-30")
        .await
        .json();
    let sum = |buckets: &serde_json::Value| -> i64 {
        let buckets = buckets["buckets"].as_array().unwrap();
        buckets
            .iter()
            .map(|it| it["kills"]["killmails"].as_i64().unwrap())
            .sum()
    };
    assert_eq!(sum(&after), 7, "counted while the days are marked");
    settle_statistics(&store).await;
    let after = app
        .get("/api/stats/activity?system=30000142&bucket=day&from=2025-01-02&to=2025-12-30")
        .await
        .json();
    assert_eq!(sum(&after), 7, "and from what was made of them");
    let old = app
        .get("/api/stats/activity?system=30000142&bucket=day&from=2016-01-02&to=2016-12-30")
        .await
        .json();
    assert_eq!(sum(&old), 0);
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM statistics_days WHERE day < '2025-12-11'"
        )
        .await,
        0
    );
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM statistics_valuable WHERE day < '2025-12-11'"
        )
        .await,
        0
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_in_use_holds_nobody_up() {
    let (_database, store) = store().await;
    upsert(
        &store,
        vec![
            of(1, "2016-02-29T00:00:00Z"),
            of(9_001, "2026-01-01T00:00:00Z"),
        ],
    )
    .await;
    let mut reading = store.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM killmails")
        .execute(&mut *reading)
        .await
        .unwrap();
    let error = wanderer_kills::store::retention::drop_year(&store.pool, 2016)
        .await
        .unwrap_err();
    assert!(error.is_lock_timeout() && error.is_transient(), "{error}");
    // Others read and write as before, and once the reader has gone the year goes.
    upsert(&store, vec![of(2, "2016-03-01T00:00:00Z")]).await;
    reading.rollback().await.unwrap();
    let expired = retention::round(&deps(&store)).await.unwrap();
    assert_eq!((expired.years, expired.killmails), (vec![2016], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_changes_is_left_to_the_next_round() {
    let (_database, store) = store().await;
    upsert(
        &store,
        vec![of(1, "2025-03-01T00:00:00Z"), of(2, "2025-03-01T00:00:00Z")],
    )
    .await;
    let mut writing = store.pool.begin().await.unwrap();
    sqlx::query("UPDATE killmails SET points = 7 WHERE killmail_id = 2")
        .execute(&mut *writing)
        .await
        .unwrap();
    assert_eq!(retention::round(&deps(&store)).await.unwrap().killmails, 1);
    writing.commit().await.unwrap();
    assert_eq!(retention::round(&deps(&store)).await.unwrap().killmails, 1);
    assert_eq!(count(&store, "SELECT count(*) FROM attackers").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_the_past_goes_with_it() {
    let (database, store) = store().await;
    postgres::execute(
        database.url(),
        "INSERT INTO backfill_days (source, day, state) VALUES ('everef', '2025-12-10', 'done'), ('everef', '2025-12-11', 'done');
         INSERT INTO day_checks (day, own, verdict, checked_at) VALUES ('2025-12-10', 1, 'complete', now()), ('2025-12-11', 1, 'complete', now());
         INSERT INTO history_wishes (kind, entity_id, state, requested_by, requested_at, wanted_from, next_attempt_at, updated_at, known_from, known_until)
         VALUES ('system', 30000001, 'complete', 'api', now(), '2025-01-01', now(), now(), '2025-01-01', '2025-06-01'),
            ('system', 30000002, 'complete', 'api', now(), '2025-01-01', now(), now(), '2025-01-01', '2026-03-01');",
    )
    .await
    .unwrap();
    retention::round(&deps(&store)).await.unwrap();
    assert_eq!(
        count(
            &store,
            "SELECT count(*) FROM backfill_days WHERE day >= '2025-12-11'"
        )
        .await,
        1
    );
    assert_eq!(count(&store, "SELECT count(*) FROM backfill_days").await, 1);
    assert_eq!(count(&store, "SELECT count(*) FROM day_checks").await, 1);
    let known: Vec<Option<DateTime<Utc>>> =
        sqlx::query_scalar("SELECT known_from FROM history_wishes ORDER BY entity_id")
            .fetch_all(&store.pool)
            .await
            .unwrap();
    assert_eq!(known, [None, Some(time("2025-12-11T00:00:00Z"))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_are_not_kept_are_not_filled() {
    let (_database, store) = store().await;
    let clock: SharedClock = clock();
    let deps = BackfillDeps {
        resolver: Resolver::local(store.clone(), Arc::clone(&clock)),
        store,
        clock,
        ingest: IngestConfig {
            retention: RETENTION,
            ..IngestConfig::default()
        },
        backfill: BackfillConfig::default(),
    };
    let folder = tempfile::tempdir().unwrap();
    let fill = async |first: &str| {
        let source = Source::folder(BackfillSource::Everef, folder.path().to_owned());
        let range = DayRange::new(day(first), day("2025-12-12")).unwrap();
        let request = BackfillRequest::new(source, range, Recheck::ByCount);
        let stop = CancellationToken::new();
        backfill::run(&deps, &request, Arc::new(Unwatched), &stop).await
    };
    let refused = fill("2025-12-10").await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "from is 2025-12-10, but WK_RETENTION_DAYS=90 keeps nothing before 2025-12-11: allowed is a first day from then on"
    );
    assert_eq!(fill("2025-12-11").await.unwrap().absent, 2);
}

#[tokio::test]
async fn a_time_that_is_too_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let service = ServiceCommand::new(folder.path()).env("WK_RETENTION_DAYS", 3);
    let refused = service.run(&["serve"]).await;
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(
        said.contains("WK_RETENTION_DAYS is 3, allowed are 0 (keep all) and 7 to 36500"),
        "{said}"
    );
}
