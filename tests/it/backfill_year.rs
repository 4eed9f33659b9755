//! A year of history, filled by a run that is killed again and again, beside a service on the same database whose
//! listeners hear none of it but what is recent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::process::Command;
use wanderer_kills::domain::Killmail;
use wanderer_kills::ingest::statistics;
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::simulator::Archives;
use wanderer_kills::store::Store;

use crate::statistics_naive::{Naive, Question};
use crate::support::backfill::{Bench, LIMIT, ended, written};
use crate::support::binary::ServiceCommand;
use crate::support::listeners::Listener;

/// A leap year's, so that every window of the service is covered.
const DAYS: u32 = 366;
/// Every so many days is a busy one, yesterday among them: 21 in all.
const BUSY_EVERY: u32 = 18;
/// Times that the run is killed.
const KILLS: i64 = 10;
/// So young are killmails that are announced: all of yesterday's that come within the first hours of its archive.
const RECENT_HOURS: i64 = 48;
/// Lists of the top that are compared with a naive count.
const LISTS: [&str; 6] = [
    "systems",
    "ships_lost",
    "ships_used",
    "characters",
    "corporations",
    "alliances",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_is_filled_by_a_run_that_is_killed_ten_times() {
    Year::start(120, 20).await.fill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: cargo test --release --test it -- --ignored a_year_of_busy_days"]
async fn a_year_of_busy_days_is_filled_by_a_run_that_is_killed_ten_times() {
    Year::start(17_000, 1_000).await.fill().await;
}

struct Year {
    bench: Bench,
    killmails: u32,
    batch_size: u32,
    begun: DateTime<Utc>,
}

impl Year {
    /// Until yesterday, with so many killmails on each busy day and a handful on the others.
    async fn start(busy: u32, batch_size: u32) -> Self {
        let begun = Utc::now();
        let first = begun.date_naive() - Days::new(DAYS.into());
        let sizes = (1..=DAYS).map(|day| match (DAYS - day) % BUSY_EVERY {
            0 => busy,
            _ => 1 + day % 7,
        });
        let archives = Archives {
            sizes: sizes.collect(),
            ..Archives::even(first, 0, 0)
        };
        Self {
            killmails: archives.sizes.iter().sum(),
            bench: Bench::of(archives).await,
            batch_size,
            begun,
        }
    }

    fn command(&self) -> Command {
        let mut command = self.bench.command(&[]);
        command
            .env("WK_BACKFILL_BATCH_SIZE", self.batch_size.to_string())
            .env("WK_ANNOUNCE_HOURS", RECENT_HOURS.to_string());
        command
    }

    async fn fill(self) {
        let folder = tempfile::tempdir().unwrap();
        let service = ServiceCommand::new(folder.path())
            .env("DATABASE_URL", self.bench.database.url())
            .env("WK_LIVE_SOURCE", "none")
            .env("WK_QUERY_TIMEOUT_MS", "60000")
            .env("WK_LOG", "error");
        let process = service.start().await;
        let address = service.listen();
        let listeners = [Listener::websocket(address), Listener::poll(address)];

        self.kill_often().await;
        let last = ended(self.command()).await;
        assert!(last.succeeded, "{}", last.log);
        let expected = self.bench.expected();
        self.check_rows(&expected).await;
        let recent = self.recent(&expected).await;
        for listener in listeners {
            check_heard(&listener, &recent).await;
        }
        self.check_statistics(address, expected).await;
        assert_eq!(process.terminate().await, Some(0));
    }

    /// Kills a run after a random number of further killmails, ten times.
    async fn kill_often(&self) {
        let step = i64::from(self.killmails) / (KILLS + 1);
        for kill in 0..KILLS {
            let target = kill * step + rand::rng().random_range(1..step);
            let mut child = self.command().spawn().unwrap();
            let advanced = async {
                while written(&self.bench.pool).await < target {
                    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                    // The more there are, the longer they take to count.
                    let pause = u64::from(self.batch_size.div_ceil(20));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            };
            let waited = tokio::time::timeout(LIMIT, advanced).await;
            waited.expect("it goes on");
            child.kill().await.unwrap();
            let done = "select count(*) from backfill_days where state = 'done'";
            assert!(self.bench.number(done).await < DAYS.into());
        }
    }

    async fn check_rows(&self, expected: &BTreeMap<i64, Killmail>) {
        let bench = &self.bench;
        let stored: Vec<(i64, Option<String>)> =
            sqlx::query_as("select killmail_id, hash from killmails order by killmail_id")
                .fetch_all(&bench.pool)
                .await
                .unwrap();
        let wanted = expected
            .values()
            .map(|it| (it.killmail_id, it.hash.map(|hash| hash.to_string())));
        assert!(
            stored.into_iter().eq(wanted),
            "ids and hashes are those of the archives, each once"
        );
        let attackers: usize = expected.values().map(|it| it.attackers.len()).sum();
        let rows = bench.number("select count(*) from attackers").await;
        assert_eq!(usize::try_from(rows).unwrap(), attackers);
        let done = "select count(*) from backfill_days where state = 'done'";
        assert_eq!(bench.number(done).await, i64::from(DAYS));
        assert_eq!(bench.number("select count(*) from dead_letters").await, 0);
    }

    /// What was announced, in order: all that is recent to the end, and nothing that was not at the beginning.
    async fn recent(&self, expected: &BTreeMap<i64, Killmail>) -> Vec<i64> {
        let announced: Vec<i64> =
            sqlx::query_scalar("select killmail_id from feed order by sequence")
                .fetch_all(&self.bench.pool)
                .await
                .unwrap();
        let younger_than = |moment: DateTime<Utc>| -> BTreeSet<i64> {
            let after = moment - TimeDelta::hours(RECENT_HOURS);
            let young = expected.values().filter(|it| it.killmail_time > after);
            young.map(|it| it.killmail_id).collect()
        };
        let distinct: BTreeSet<i64> = announced.iter().copied().collect();
        assert_eq!(distinct.len(), announced.len(), "each is announced once");
        assert!(distinct.is_subset(&younger_than(self.begun)));
        assert!(distinct.is_superset(&younger_than(Utc::now())));
        assert!(!distinct.is_empty(), "some are recent");
        announced
    }

    /// Exact at once, with days that are counted live, and again when all days are made.
    async fn check_statistics(
        &self,
        address: std::net::SocketAddr,
        expected: BTreeMap<i64, Killmail>,
    ) {
        let midnight = |day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let first = self.bench.days[0];
        let question = Question {
            from: midnight(first),
            to: midnight(first + Days::new(DAYS.into())),
            npc: None,
        };
        let naive = Naive {
            killmails: expected,
            knows_last: false,
        };
        let lists = LISTS.map(|list| (list, naive.top(list, ("everywhere", 0), 100, question)));
        let store = Store::connect(self.bench.database.url(), &DatabaseConfig::default())
            .await
            .unwrap();
        for limit in [100, 99] {
            for (list, counted) in &lists {
                let told = top(address, list, question, limit).await;
                let counted = &counted.as_array().unwrap()[..told.len()];
                assert_eq!(told, counted, "{list}");
            }
            let now = Duration::ZERO;
            while statistics::settle(&store, now, now)
                .await
                .unwrap()
                .is_some()
            {}
        }
    }
}

/// Entries of a list of the top, without names.
async fn top(
    address: std::net::SocketAddr,
    list: &str,
    question: Question,
    limit: usize,
) -> Vec<Value> {
    let (from, to) = (question.from.date_naive(), question.to.date_naive());
    let path = format!("/api/stats/top?list={list}&from={from}&to={to}&limit={limit}");
    let answer = crate::support::http::get(address, &path).await.unwrap();
    let told = answer.json();
    let entries = told["entries"].as_array();
    let entries = entries.unwrap_or_else(|| panic!("{path}: {told}"));
    let bare = entries.iter().map(|entry| {
        json!({
            "id": entry["id"], "killmails": entry["killmails"], "isk": entry["isk"],
            "without_value": entry["without_value"],
        })
    });
    let bare: Vec<Value> = bare.collect();
    assert!(!bare.is_empty(), "{path}");
    bare
}

/// A listener has heard exactly what was announced, in its order.
async fn check_heard(listener: &Listener, announced: &[i64]) {
    let complete = async {
        while listener.events().len() < announced.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(LIMIT, complete).await;
    assert!(waited.is_ok(), "{} has not heard all", listener.kind);
    let heard: Vec<i64> = listener.events().iter().map(|(_, _, id)| *id).collect();
    assert_eq!(heard, announced, "{}", listener.kind);
}
