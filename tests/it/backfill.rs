//! `backfill` with the real binary: days from the simulator's EVE Ref and R2Z2, and from folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rand::RngExt;
use sqlx::PgPool;
use tokio::process::Command;
use wanderer_kills::domain::Killmail;
use wanderer_kills::simulator::{Archives, Fault, FaultRule};

use crate::support::backfill::{Bench, LIMIT, command, day, ended, reached};
use crate::support::binary::ServiceCommand;
use crate::support::postgres::until_answers;
use crate::support::{postgres, real_data};

/// Times that a run is killed.
const KILLS: i64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_it_ends_complete_and_exact() {
    let bench = Bench::start(8, 250).await;
    let begun = Utc::now();
    let expected = bench.expected();
    let step = i64::try_from(expected.len()).unwrap() / (KILLS + 1);
    let mut killed = 0;
    for number in 0..KILLS {
        let target = number * step + rand::rng().random_range(1..step);
        let mut child = bench.command(&[]).spawn().unwrap();
        if reached(&bench.pool, &mut child, target).await {
            child.kill().await.unwrap();
            killed += 1;
        }
    }
    assert_eq!(killed, KILLS, "each run was under way when it was killed");
    let before = bench
        .number("select count(*) from backfill_days where state = 'running'")
        .await;
    assert!(before > 0, "a killed run leaves days without their mark");

    let last = bench.run(&[]).await;
    assert!(last.succeeded, "{}", last.log);
    assert_eq!(bench.stored().await, expected);
    let attackers: usize = expected.values().map(|it| it.attackers.len()).sum();
    let rows = bench.number("select count(*) from attackers").await;
    assert_eq!(usize::try_from(rows).unwrap(), attackers);
    assert_eq!(
        bench
            .number("select count(*) from backfill_days where state = 'done'")
            .await,
        8
    );
    assert_eq!(bench.number("select count(*) from dead_letters").await, 0);
    check_announced(&bench.pool, &expected, begun).await;
}

/// The feed has what was recent when it was stored, each once, and nothing else.
async fn check_announced(pool: &PgPool, expected: &BTreeMap<i64, Killmail>, begun: DateTime<Utc>) {
    let announced: Vec<i64> = sqlx::query_scalar("select killmail_id from feed order by sequence")
        .fetch_all(pool)
        .await
        .unwrap();
    let younger_than = |moment: DateTime<Utc>| -> BTreeSet<i64> {
        let after = moment - TimeDelta::hours(24);
        let young = expected.values().filter(|it| it.killmail_time > after);
        young.map(|it| it.killmail_id).collect()
    };
    let distinct: BTreeSet<i64> = announced.iter().copied().collect();
    assert_eq!(distinct.len(), announced.len(), "each is announced once");
    assert!(
        distinct.is_subset(&younger_than(begun)),
        "only what is recent is announced"
    );
    assert!(
        distinct.is_superset(&younger_than(Utc::now())),
        "all that is recent is announced"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_has_changed_is_asked_for_again() {
    let bench = Bench::start_at(day("2024-02-27"), 4, 60).await;
    let first = bench.run(&[]).await;
    assert!(first.succeeded, "{}", first.log);
    assert_eq!(
        first.said.trim(),
        "4 days = 4 filled + 0 unchanged + 0 absent + 0 failed; \
         240 read = 240 new + 0 updated + 0 unchanged + 0 dead letters"
    );
    let asked = bench.archives_asked_for();
    let second = bench.run(&[]).await;
    assert!(second.said.contains("0 filled + 4 unchanged") && second.said.contains("0 read ="));
    assert_eq!(
        bench.archives_asked_for(),
        asked,
        "no archive was asked for"
    );

    let rechecked = bench.run(&["--recheck"]).await;
    assert!(
        rechecked.said.contains("0 filled + 4 unchanged"),
        "{}",
        rechecked.said
    );
    assert_eq!(
        bench.archives_asked_for(),
        asked + 4,
        "each was asked for its version"
    );

    // Mails that came late.
    bench.simulator.resize_day(bench.days[1], 65);
    let grown = bench.run(&[]).await;
    assert!(
        grown.said.contains("1 filled + 3 unchanged"),
        "{}",
        grown.said
    );
    assert!(
        grown
            .said
            .contains("65 read = 5 new + 0 updated + 60 unchanged"),
        "{}",
        grown.said
    );
    assert_eq!(bench.stored().await, bench.expected());

    // Another version with as many mails is only found by asking.
    bench.simulator.resize_day(bench.days[1], 65);
    assert!(bench.run(&[]).await.said.contains("0 filled"));
    let rechecked = bench.run(&["--recheck"]).await;
    assert!(
        rechecked.said.contains("1 filled + 3 unchanged"),
        "{}",
        rechecked.said
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_shrinks_or_goes_upstream_stays_here() {
    let bench = Bench::start_at(day("2024-02-27"), 3, 40).await;
    assert!(bench.run(&[]).await.succeeded);
    let expected = bench.expected();
    bench.simulator.resize_day(bench.days[0], 10);
    bench.simulator.resize_day(bench.days[1], 0);
    let ran = bench.run(&[]).await;
    assert!(ran.succeeded, "{}", ran.log);
    assert!(
        ran.said
            .contains("2024-02-27 has 10 documents now, 40 before: nothing was deleted"),
        "{}",
        ran.said
    );
    assert!(
        ran.said
            .contains("1 filled + 1 unchanged + 1 absent + 0 failed"),
        "{}",
        ran.said
    );
    assert!(ran.log.contains("has shrunk"), "{}", ran.log);
    assert_eq!(bench.stored().await, expected);
    let kept: (i64, i64) = sqlx::query_as(
        "select documents, most_documents from backfill_days where day = '2024-02-27'",
    )
    .fetch_one(&bench.pool)
    .await
    .unwrap();
    assert_eq!(kept, (10, 40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_in_trouble_costs_time_and_a_damaged_archive_its_day() {
    let bench = Bench::start_at(day("2024-02-26"), 4, 40).await;
    let path = |day: NaiveDate| format!("*killmails-{day}.tar.bz2");
    let faults = [
        Fault::CutConnection,
        Fault::TooManyRequests {
            retry_after: Some(1),
        },
        Fault::TruncatedJson,
    ];
    for (day, fault) in bench.days.iter().zip(faults) {
        bench
            .simulator
            .fault(FaultRule::path(path(*day), fault).times(1));
    }
    let bad = bench.days[3];
    bench
        .simulator
        .fault(FaultRule::path(path(bad), Fault::TruncatedJson));
    let ran = bench.run(&[]).await;
    assert!(!ran.succeeded);
    assert!(
        ran.said
            .contains("3 filled + 0 unchanged + 0 absent + 1 failed"),
        "{}",
        ran.said
    );
    let reason = "can't read killmails-2024-02-29.tar.bz2";
    assert!(ran.log.contains(reason), "{}", ran.log);
    let kept: (String, String) =
        sqlx::query_as("select state, error from backfill_days where day = $1")
            .bind(bad)
            .fetch_one(&bench.pool)
            .await
            .unwrap();
    assert_eq!(kept.0, "failed");
    assert!(kept.1.contains(reason), "{}", kept.1);
    assert_eq!(
        bench
            .simulator
            .request_count(&format!("/everef/killmails/2024/killmails-{bad}")),
        3
    );

    bench.simulator.clear_faults();
    let ran = bench.run(&[]).await;
    assert!(ran.succeeded, "{}", ran.log);
    assert!(ran.said.contains("1 filled + 3 unchanged"), "{}", ran.said);
    assert_eq!(bench.stored().await, bench.expected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sources_fill_the_same_rows() {
    let first = day("2023-12-30");
    let (everef, r2z2) = tokio::join!(Bench::start_at(first, 4, 50), Bench::start_at(first, 4, 50));
    assert!(everef.run(&[]).await.succeeded);
    let ran = r2z2.run(&["--source", "r2z2"]).await;
    assert!(ran.succeeded, "{}", ran.log);
    assert!(ran.said.contains("200 read = 200 new"), "{}", ran.said);
    assert_eq!(rows(&everef.pool).await, rows(&r2z2.pool).await);
    assert_eq!(r2z2.simulator.violations(), []);
    let second = r2z2.run(&["--source", "r2z2"]).await;
    assert!(
        second.said.contains("0 filled + 4 unchanged"),
        "{}",
        second.said
    );
    let other = r2z2.run(&["--source", "everef"]).await;
    assert!(
        other
            .said
            .contains("200 read = 0 new + 0 updated + 200 unchanged"),
        "{}",
        other.said
    );
}

/// All rows as text, without the times of writing.
async fn rows(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select (to_jsonb(k) - 'stored_at' - 'updated_at')::text from killmails k
         union all select to_jsonb(a)::text from attackers a order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_says_what_is_left_and_goes_on_later() {
    let bench = Bench::start_at(day("2024-01-01"), 6, 200).await;
    let mut child = bench.command(&[]).spawn().unwrap();
    assert!(reached(&bench.pool, &mut child, 300).await);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(" left; "), "{said}");
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("the same command goes on with them"), "{log}");
    assert_eq!(
        bench
            .number("select count(*) from backfill_days where state = 'running'")
            .await,
        0
    );
    let ran = bench.run(&[]).await;
    assert!(ran.succeeded, "{}", ran.log);
    assert_eq!(bench.stored().await, bench.expected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_run_has_loaded_apart_is_seen_once_a_service_runs() {
    let bench = Bench::start_at(day("2024-01-01"), 6, 200).await;
    let mut child = bench.command(&[]).spawn().unwrap();
    assert!(reached(&bench.pool, &mut child, 300).await);
    child.kill().await.unwrap();
    assert_eq!(bench.number("select count(*) from killmails").await, 0);

    let folder = tempfile::tempdir().unwrap();
    let process = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", bench.database.url())
        .env("WK_LIVE_SOURCE", "none")
        .start()
        .await;
    let apart = "select count(*)::text from pg_namespace where nspname like 'loading%'";
    until_answers(bench.database.url(), apart, "0").await;
    let seen = bench.number("select count(*) from killmails").await;
    assert!((300..1200).contains(&seen), "{seen}");
    let ran = bench.run(&[]).await;
    assert!(ran.succeeded, "{}", ran.log);
    assert_eq!(bench.stored().await, bench.expected());
    assert_eq!(process.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_share_the_days() {
    let bench = Bench::start_at(day("2024-01-01"), 8, 100).await;
    let (one, other) = tokio::join!(bench.run(&[]), bench.run(&[]));
    assert!(
        one.succeeded && other.succeeded,
        "{}\n{}",
        one.log,
        other.log
    );
    assert_eq!(bench.stored().await, bench.expected());
    let third = bench.run(&[]).await;
    assert!(
        third.said.contains("0 filled + 8 unchanged"),
        "{}",
        third.said
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_archives_needs_no_server() {
    let bench = Bench::start_at(day("2024-01-01"), 2, 30).await;
    let folder = tempfile::tempdir().unwrap();
    let archives = Archives::even(bench.days[0], 2, 30);
    for day in &bench.days {
        let bytes = archives.archive(*day, 30).unwrap();
        std::fs::write(
            folder.path().join(format!("killmails-{day}.tar.bz2")),
            bytes,
        )
        .unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    for (filled, read) in [(2, "60 read = 60 new"), (0, "0 read = 0 new")] {
        let ran = bench.run(&["--archives", folder]).await;
        assert!(ran.succeeded, "{}", ran.log);
        assert!(
            ran.said.contains(&format!("{filled} filled")),
            "{}",
            ran.said
        );
        assert!(ran.said.contains(read), "{}", ran.said);
    }
    assert_eq!(bench.stored().await, bench.expected());
    assert_eq!(bench.simulator.requests().len(), 0);
    let ran = bench.run(&["--archives", "/nowhere"]).await;
    assert!(
        ran.log
            .contains("--archives is /nowhere, which is no folder"),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn a_bad_request_is_refused_with_its_reason() {
    let database = postgres::database().await;
    let said = async |mut command: Command, arguments: &[&str]| {
        command.args(arguments);
        let ran = ended(command).await;
        assert!(!ran.succeeded);
        ran.log
    };
    let backwards = command(database.url(), day("2024-01-02"));
    let log = said(backwards, &["--to", "2024-01-01"]).await;
    assert!(
        log.contains("from is 2024-01-02 and to is 2024-01-01"),
        "{log}"
    );
    let nameless = command(database.url(), day("2024-01-02"));
    let log = said(nameless, &["--to", "2024-01-03"]).await;
    assert!(log.contains("WK_CONTACT is missing"), "{log}");
}

/// Real archives and real history of one day, where they lie beside the project.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_days_are_filled_from_a_folder() {
    let Some(data) = real_data::data() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &Path| std::fs::copy(data.join(from), to).map(drop).unwrap();
    for day in ["2021-11-28", "2021-11-29", "2021-11-30", "2021-12-03"] {
        let name = format!("killmails-{day}.jsonl.gz");
        copy(&format!("esi/{name}"), &folder.path().join(&name));
    }
    let database = postgres::database().await;
    let run = async |arguments: &[&str]| {
        let mut command = command(database.url(), day("2021-11-28"));
        command
            .args([
                "--to",
                "2021-12-03",
                "--archives",
                folder.path().to_str().unwrap(),
            ])
            .args(arguments)
            .env("WK_BACKFILL_BATCH_SIZE", "500");
        let ran = ended(command).await;
        assert!(ran.succeeded, "{}", ran.log);
        ran.said
    };
    let said = run(&[]).await;
    assert_eq!(
        said.trim(),
        "6 days = 4 filled + 0 unchanged + 2 absent + 0 failed; \
         42367 read = 42367 new + 0 updated + 0 unchanged + 0 dead letters"
    );
    let pool = PgPool::connect(database.url()).await.unwrap();
    let counted: (i64, i64) =
        sqlx::query_as("select count(*), count(*) filter (where hash is not null) from killmails")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(counted, (42_367, 42_367));

    // The same day as zKillboard's history has it: bodies by id, hashes in a file of their own.
    let text = real_data::read(&data.join("esi/killmails-2021-12-03.jsonl.gz")).await;
    let mut bodies = serde_json::Map::new();
    for mut document in real_data::documents(&text) {
        let body = document.as_object_mut().unwrap();
        body.remove("killmail_hash");
        body.remove("http_last_modified");
        bodies.insert(document["killmail_id"].to_string(), document);
    }
    std::fs::create_dir(folder.path().join("raw")).unwrap();
    let raw = serde_json::Value::Object(bodies).to_string();
    std::fs::write(folder.path().join("raw/20211203.json"), raw).unwrap();
    copy(
        "zkb-history/20211203-derived.json",
        &folder.path().join("20211203.json"),
    );
    let said = run(&["--source", "r2z2"]).await;
    assert!(
        said.contains("4064 read = 0 new + 0 updated + 4064 unchanged"),
        "{said}"
    );
}
