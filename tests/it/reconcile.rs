//! Days held against what EVE Ref and R2Z2 count, by the real binary and by the duty's own code.

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;
use wanderer_kills::ingest::backfill::jobs::JobSources;
use wanderer_kills::ingest::backfill::{BackfillDeps, Source};
use wanderer_kills::ingest::reconcile::{
    self, GapsSettled, ReconcileDeps, ReconcileError, ReconcileRequest, Reconciled, Scope,
    Unwatched,
};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::runtime::clock::{SharedClock, TestClock};
use wanderer_kills::runtime::config::{BackfillConfig, DatabaseConfig, IngestConfig};
use wanderer_kills::simulator::{Fault, FaultRule, HistoryServer};
use wanderer_kills::store::Store;
use wanderer_kills::store::day_checks::{DayCheck, Verdict};
use wanderer_kills::upstream::everef::EveRef;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};
use wanderer_kills::upstream::zkb::history::History;

use crate::support::app::TestApp;
use crate::support::backfill::{Bench, LIMIT, Ran, day, ended};
use crate::support::postgres;

/// The command over the days of a bench.
async fn command(bench: &Bench, arguments: &[&str]) -> Ran {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_wanderer-kills"));
    command
        .arg("reconcile")
        .args(arguments)
        .env("DATABASE_URL", bench.database.url())
        .env("WK_LOG", "warn")
        .env("WK_R2Z2_INTERVAL_MS", "1")
        .env("WK_R2Z2_IDLE_MS", "20")
        .env("WK_EVEREF_URL", bench.simulator.everef_url().as_str())
        .env("WK_R2Z2_URL", bench.simulator.r2z2_url().as_str())
        .env_remove("WK_CONTACT")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    ended(command).await
}

/// Deletes killmails behind everybody's back; how many.
async fn delete(bench: &Bench, condition: &str) -> u64 {
    let mut deleted = 0;
    for table in ["attackers", "killmails"] {
        let statement = format!("DELETE FROM {table} WHERE {condition}");
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&bench.pool);
        deleted = done.await.unwrap().rows_affected();
    }
    deleted
}

fn on(day: NaiveDate) -> String {
    let next = day + Days::new(1);
    format!("killmail_time >= '{day}T00:00:00Z' AND killmail_time < '{next}T00:00:00Z'")
}

fn files_asked_for(bench: &Bench) -> (usize, usize) {
    let raw = bench.simulator.request_count("/r2z2/history/raw/");
    (bench.archives_asked_for(), raw)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_is_fetched_and_what_cannot_be_had_is_explained_once() {
    let bench = Bench::start(6, 40).await;
    assert!(bench.run(&[]).await.succeeded);
    let whole = bench.expected();
    let days = &bench.days;
    // Rows of a day that is done and whose file has not changed.
    assert_eq!(delete(&bench, &on(days[1])).await, 40);
    assert_eq!(
        delete(
            &bench,
            &format!(
                "killmail_id IN (SELECT min(killmail_id) FROM killmails WHERE {})",
                on(days[2])
            )
        )
        .await,
        1
    );
    // Mails that only R2Z2 has, and ones that nobody has although they are counted.
    bench
        .simulator
        .resize_day_of(HistoryServer::R2z2, days[3], 45);
    bench
        .simulator
        .miscount_day(HistoryServer::R2z2, days[4], 47);

    let looked = command(&bench, &["--days", "6", "--dry-run"]).await;
    assert!(!looked.succeeded);
    assert!(
        looked.said.contains("6 days = 2 complete + 4 lacking"),
        "{}",
        looked.said
    );
    assert_eq!(bench.number("select count(*) from day_checks").await, 0);

    let first = command(&bench, &["--days", "6"]).await;
    assert!(first.succeeded, "{}{}", first.said, first.log);
    assert!(
        first
            .said
            .contains("6 days = 5 complete + 1 explained + 0 lacking"),
        "{}",
        first.said
    );
    assert!(first.said.contains("46 new"), "{}", first.said);
    assert!(
        first
            .said
            .contains("explained (R2Z2 counts 47: its file has 40)"),
        "{}",
        first.said
    );
    let stored = bench.stored().await;
    assert!(
        whole
            .iter()
            .all(|(id, killmail)| stored.get(id) == Some(killmail))
    );
    assert_eq!(stored.len(), whole.len() + 5);
    let attackers = "select count(*) from (select killmail_id from attackers group by 1) as a";
    assert_eq!(bench.number(attackers).await, 245);
    check_left_alone(&bench, days[4]).await;
}

/// A day that is explained is not fetched again until its numbers change.
async fn check_left_alone(bench: &Bench, explained: NaiveDate) {
    let asked = files_asked_for(bench);
    let second = command(bench, &["--all"]).await;
    assert!(
        second.succeeded && second.said.contains(" 0 read"),
        "{}",
        second.said
    );
    assert_eq!(
        files_asked_for(bench),
        asked,
        "the explained day is left alone"
    );
    // Until its numbers change.
    bench
        .simulator
        .miscount_day(HistoryServer::R2z2, explained, 48);
    let third = command(bench, &["--days", "6"]).await;
    assert!(
        third.said.contains("explained (R2Z2 counts 48"),
        "{}",
        third.said
    );
    assert_eq!(files_asked_for(bench), (asked.0, asked.1 + 1));
}

/// Reconciles as the duty does, at a time of the test's own.
struct Duty {
    deps: ReconcileDeps,
}

impl Duty {
    async fn new(bench: &Bench, clock: SharedClock) -> Self {
        wanderer_kills::runtime::tls::install();
        let config = DatabaseConfig::default();
        let store = Store::connect(bench.database.url(), &config).await.unwrap();
        let http = HttpClient::new(&HttpSettings::default(), Arc::clone(&clock)).unwrap();
        let fast = std::time::Duration::from_millis(1);
        let everef = Source::everef(EveRef::new(http.clone(), bench.simulator.everef_url()));
        let r2z2 = Source::history(History::new(http, bench.simulator.r2z2_url(), fast, fast));
        Self {
            deps: ReconcileDeps {
                backfill: BackfillDeps {
                    resolver: Resolver::local(store.clone(), Arc::clone(&clock)),
                    store,
                    clock,
                    ingest: IngestConfig::default(),
                    backfill: BackfillConfig::default(),
                },
                sources: JobSources {
                    everef: Ok(everef),
                    r2z2: Ok(r2z2),
                },
                begin_after: std::time::Duration::ZERO,
            },
        }
    }

    async fn run(&self, scope: Scope) -> Result<Reconciled, ReconcileError> {
        let request = ReconcileRequest { scope, fetch: true };
        let (watch, stop) = (Arc::new(Unwatched), CancellationToken::new());
        reconcile::reconcile(&self.deps, request, watch, &stop).await
    }
}

fn at(time: &str) -> Arc<TestClock> {
    TestClock::at(time.parse::<DateTime<Utc>>().unwrap())
}

fn verdicts(reconciled: &Reconciled) -> Vec<(NaiveDate, Verdict)> {
    let checks = reconciled.checks.iter();
    checks
        .map(|DayCheck { day, verdict, .. }| (*day, *verdict))
        .collect()
}

/// Eight days of February 2024, and the morning after them.
async fn february() -> (Bench, Arc<TestClock>) {
    let bench = Bench::start_at(day("2024-02-10"), 8, 30).await;
    (bench, at("2024-02-18T08:00:00Z"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_with_a_file_that_shrinks_and_days_by_chance_are_left_alone() {
    let (bench, clock) = february().await;
    assert!(bench.run(&[]).await.succeeded);
    let days = bench.days.clone();
    // Two killmails of thirty are there by chance, three are a day that was begun.
    for (index, kept) in [(0, 2), (1, 3)] {
        let left = format!(
            "SELECT killmail_id FROM killmails WHERE {} ORDER BY 1 LIMIT {kept}",
            on(days[index])
        );
        delete(
            &bench,
            &format!("{} AND killmail_id NOT IN ({left})", on(days[index])),
        )
        .await;
    }
    sqlx::query("DELETE FROM backfill_days WHERE day <= $1")
        .bind(days[1])
        .execute(&bench.pool)
        .await
        .unwrap();
    let duty = Duty::new(&bench, clock).await;
    let first = duty.run(Scope::All).await.unwrap();
    let mut expected: Vec<_> = days
        .iter()
        .rev()
        .map(|day| (*day, Verdict::Complete))
        .collect();
    expected[7].1 = Verdict::NotKept;
    assert_eq!(verdicts(&first), expected);
    assert_eq!(first.documents.new, 27);
    let stored = bench.stored().await;

    bench.simulator.resize_day(days[3], 4);
    let second = duty.run(Scope::Recent(5)).await.unwrap();
    expected.truncate(5);
    expected[4].1 = Verdict::Shrunk;
    assert_eq!(verdicts(&second), expected);
    let reason = second.checks[4].reason.as_deref().unwrap();
    assert_eq!(
        reason,
        "EVE Ref counts 4 (30 before), R2Z2 counts 4 (30 before); nothing is deleted"
    );
    assert_eq!(bench.stored().await, stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps_close_through_the_history_around_them() {
    let (bench, clock) = february().await;
    assert!(bench.run(&["--source", "r2z2"]).await.succeeded);
    let whole = bench.stored().await;
    postgres::execute(
        bench.database.url(),
        "UPDATE backfill_days SET verified_at = '2024-02-15T12:00:00Z';
         INSERT INTO source_gaps (source, position, reason, next_attempt_at, recorded_at) VALUES
            ('r2z2', 1, 'missing', NULL, '2024-02-14T15:00:00Z'),
            ('r2z2', 2, 'missing', NULL, '2024-02-17T03:00:00Z'),
            ('r2z2', 3, 'missing', NULL, '2024-01-20T03:00:00Z'),
            ('r2z2', 4, 'missing', '2024-02-19T00:00:00Z', '2024-02-14T15:00:00Z');",
    )
    .await
    .unwrap();
    let lost = *whole.keys().nth(30 * 4 + 3).unwrap();
    assert_eq!(delete(&bench, &format!("killmail_id = {lost}")).await, 1);

    let asked = files_asked_for(&bench).1;
    let duty = Duty::new(&bench, clock).await;
    let first = duty.run(Scope::Recent(8)).await.unwrap();
    let expected = GapsSettled {
        read: 1,
        unavailable: 1,
        left: 1,
    };
    assert_eq!(first.gaps, expected);
    assert_eq!(
        files_asked_for(&bench).1,
        asked + 3,
        "the three days around it"
    );
    assert_eq!(bench.stored().await, whole);
    let closings = "SELECT string_agg(position || ' ' || coalesce(closing, 'open'), ', ' ORDER BY position) FROM source_gaps";
    let closings = postgres::text(bench.database.url(), closings)
        .await
        .unwrap();
    assert_eq!(
        closings,
        "1 history_read, 2 open, 3 history_unavailable, 4 open"
    );

    let second = duty.run(Scope::Recent(8)).await.unwrap();
    assert_eq!(
        second.gaps,
        GapsSettled {
            left: 1,
            ..GapsSettled::default()
        }
    );
    assert_eq!(
        files_asked_for(&bench).1,
        asked + 3,
        "nothing is asked for again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_fails_is_told_and_made_up_for() {
    let (bench, clock) = february().await;
    assert!(bench.run(&[]).await.succeeded);
    let whole = bench.stored().await;
    delete(&bench, &on(bench.days[6])).await;
    let totals = "/*/totals.json";
    bench
        .simulator
        .fault(FaultRule::path(totals, Fault::ServerError(503)));
    let duty = Duty::new(&bench, clock.clone()).await;
    let nobody = duty.run(Scope::All).await.unwrap_err().to_string();
    assert!(
        nobody.contains("EVE Ref: ") && nobody.contains("; R2Z2: "),
        "{nobody}"
    );

    bench.simulator.clear_faults();
    // A server that has failed so often is left alone for a while.
    let a_while = std::time::Duration::from_hours(1);
    clock.advance(a_while);
    bench.simulator.fault(FaultRule::path(
        "/r2z2/history/totals.json",
        Fault::ServerError(503),
    ));
    let archive = format!("/everef/killmails/2024/killmails-{}.tar.bz2", bench.days[6]);
    bench
        .simulator
        .fault(FaultRule::path(&archive, Fault::ServerError(503)));
    let lacking = duty.run(Scope::All).await.unwrap();
    assert_eq!(lacking.unasked.len(), 1);
    assert_eq!(lacking.count(Verdict::Lacking), 1);
    let reason = lacking.checks[1].reason.as_deref().unwrap();
    assert!(
        reason.starts_with("EVE Ref counts 30: ") && reason.contains("503"),
        "{reason}"
    );

    bench.simulator.clear_faults();
    clock.advance(a_while);
    let made_up = duty.run(Scope::All).await.unwrap();
    assert_eq!(made_up.count(Verdict::Complete), 8);
    assert_eq!(bench.stored().await, whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_duty_writes_down_what_it_found_and_the_api_tells() {
    let (bench, clock) = february().await;
    assert!(bench.run(&[]).await.succeeded);
    bench
        .simulator
        .miscount_day(HistoryServer::EveRef, bench.days[6], 31);
    let duty = Duty::new(&bench, clock.clone()).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(reconcile::run(duty.deps.clone(), stop.clone()));
    let finished = "select count(*) from reconcile_runs where finished_at is not null";
    let waiting = async {
        while bench.number(finished).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(
        bench.number("select count(*) from reconcile_runs").await,
        1,
        "the next one is due tomorrow"
    );

    let app = TestApp::serving(bench.database.url(), clock).await;
    let first = app.get("/api/stats/completeness?limit=3").await.json();
    let run = &first["run"];
    assert_eq!(
        (&run["scope"], &run["days"], &run["lacking"]),
        (&"all".into(), &8.into(), &0.into())
    );
    let days = first["days"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    assert_eq!(
        (&days[0]["day"], &days[0]["verdict"]),
        (&"2024-02-17".into(), &"complete".into())
    );
    assert_eq!(
        (
            &days[1]["verdict"],
            &days[1]["own"],
            &days[1]["everef"],
            &days[1]["r2z2"]
        ),
        (&"explained".into(), &30.into(), &31.into(), &30.into())
    );
    assert_eq!(days[1]["reason"], "EVE Ref counts 31: its file has 30");
    assert_eq!(first["next_before"], "2024-02-15");
    let rest = app
        .get("/api/stats/completeness?before=2024-02-15")
        .await
        .json();
    assert_eq!(rest["days"].as_array().unwrap().len(), 5);
    assert!(rest["next_before"].is_null());
    for query in [
        "before=yesterday",
        "limit=0",
        "limit=1001",
        "day=2024-02-15",
    ] {
        let refused = app.get(&format!("/api/stats/completeness?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
    app.stop().await;
}
