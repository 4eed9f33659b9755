//! The real program with `WK_RETENTION_DAYS`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use tokio_tungstenite::connect_async;
use wanderer_kills::domain::Killmail;
use wanderer_kills::simulator::{Habits, Simulator, SimulatorConfig};
use wanderer_kills::store::Store;

use crate::store_samples::{append, killmail, store, time, upsert};
use crate::support::app::{JITA, Socket, read};
use crate::support::backfill::day;
use crate::support::binary::ServiceCommand;
use crate::support::blockade::Blockade;
use crate::support::following::{following, publish};
use crate::support::http::{self, Answer};

/// Everything has gone by then, or the test fails.
const PATIENCE: Duration = Duration::from_mins(2);
/// Killmails of each of the three times that are not kept.
const OLD: i64 = 700;
/// Old ones that the log names, and one that is kept.
const NAMED: [i64; 3] = [2_005, 3_300, 9_001];

/// So many days that what happened before July 2024 is not kept, nor its first days if this runs for long.
fn kept_days() -> i64 {
    let kept = day("2024-07-01");
    (Utc::now().date_naive() - kept).num_days()
}

/// A year that goes as a whole, one that the log names, months of the horizon's year, and what is kept.
async fn fill(store: &Store) {
    let times = [
        (1_000, "2016-02-29T00:00:00Z", OLD),
        (2_000, "2023-01-01T00:00:00Z", OLD),
        (3_000, "2024-06-01T00:00:00Z", OLD),
        (9_000, "2024-07-10T00:00:00Z", 7),
    ];
    let all: Vec<Killmail> = times
        .into_iter()
        .flat_map(|(first, at, number)| {
            (1..=number).map(move |place| Killmail {
                killmail_time: time(at) + TimeDelta::seconds(place),
                ..killmail(first + place)
            })
        })
        .collect();
    for part in all.chunks(500) {
        upsert(store, part.to_vec()).await;
    }
    let named: Vec<Killmail> = (all.into_iter())
        .filter(|it| NAMED.contains(&it.killmail_id))
        .collect();
    append(store, &named).await;
}

/// A websocket that reads the whole log, and the killmails that it was told of.
struct Listener {
    socket: Socket,
    log: Vec<i64>,
}

impl Listener {
    async fn open(address: SocketAddr) -> Self {
        let url = format!("ws://{address}/api/killfeed/ws?after=0");
        let mut socket = Socket(connect_async(url).await.unwrap().0);
        assert_eq!(socket.next().await["type"], "hello");
        Self {
            socket,
            log: Vec::new(),
        }
    }

    /// Reads until these are told of. Nothing else that is new may come, and every number of the log in turn.
    async fn hears(&mut self, ids: &[i64]) {
        let mut awaited: BTreeSet<i64> = ids.iter().copied().collect();
        while !awaited.is_empty() {
            let frame = self.socket.next().await;
            assert_eq!(frame["type"], "killmail", "{frame}");
            let event = &frame["event"];
            let id = event["killmail"]["killmail_id"].as_i64().unwrap();
            // Names may come later than their killmail.
            let is_known = event["kind"] == "updated" && self.log.contains(&id);
            assert!(is_known || awaited.remove(&id), "{frame}");
            self.log.push(id);
            assert_eq!(frame["cursor"], self.log.len());
        }
    }
}

async fn answered(address: SocketAddr, path: &str) -> Answer {
    http::get(address, path).await.unwrap()
}

/// Killmail ids of the events of a poll.
fn killmails_of(answer: &Answer) -> Vec<i64> {
    let events = answer.json()["events"].as_array().unwrap().clone();
    let id = |event: &Value| event["killmail"]["killmail_id"].as_i64().unwrap();
    events.iter().map(id).collect()
}

async fn gone(store: &Store) -> i64 {
    let left = "SELECT count(*) FROM killmails WHERE killmail_time < '2024-07-01'";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(&store.pool)
        .await
        .unwrap();
    3 * OLD - left
}

async fn simulator() -> Simulator {
    Simulator::start(SimulatorConfig {
        habits: Habits::NONE,
        ..SimulatorConfig::default()
    })
    .await
    .unwrap()
}

fn service(simulator: &Simulator, folder: &Path, url: &str) -> ServiceCommand {
    following(simulator, folder)
        .env("DATABASE_URL", url)
        .env("WK_RETENTION_DAYS", kept_days())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_killmails_go_while_live_ones_come_and_no_listener_notices() {
    let ((database, store), simulator) = (store().await, simulator().await);
    fill(&store).await;
    // Half-way through its first batch the duty stands still.
    let blockade = Blockade::of(&database, "value_attempts").await;
    let folder = tempfile::tempdir().unwrap();
    let command = service(&simulator, folder.path(), database.url());
    let (address, running) = (command.listen(), command.start().await);
    let mut listener = Listener::open(address).await;
    listener.hears(&NAMED).await;
    let poller = format!("/api/killfeed/next?client_id=poller&systems={JITA}");
    let first = answered(address, &poller).await.json();
    assert_eq!(first["killmail"]["killmail_id"], NAMED[0]);
    listener.hears(&publish(&simulator, 20)).await;

    blockade.holds().await;
    assert_eq!(gone(&store).await, OLD, "one year went as a whole");
    listener.hears(&publish(&simulator, 20)).await;
    blockade.end().await;
    let all_gone = async {
        while gone(&store).await < 3 * OLD - 2 {
            listener.hears(&publish(&simulator, 1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_gone).await.unwrap();

    check_stored(&store, &listener.log).await;
    check_cursors(address, &listener.log).await;
    // The poller goes on where it was, with what is not kept but named.
    let rest = answered(address, &poller.replace("/next", "")).await;
    assert_eq!(killmails_of(&rest)[..2], NAMED[1..]);
    // Nothing was told in between.
    listener.hears(&publish(&simulator, 1)).await;
    assert_eq!(running.terminate().await, Some(0));
}

/// What was announced, what is kept and nothing else is there, with its attackers.
async fn check_stored(store: &Store, log: &[i64]) {
    let mut expected: Vec<i64> = (9_001..=9_007).chain(log.iter().copied()).collect();
    expected.sort_unstable();
    expected.dedup();
    for table in ["killmails", "attackers"] {
        let query = format!("SELECT DISTINCT killmail_id FROM {table} ORDER BY 1");
        let stored: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_all(&store.pool)
            .await
            .unwrap();
        assert_eq!(stored, expected, "{table}");
    }
}

/// Every cursor from before is as good as it was.
async fn check_cursors(address: SocketAddr, log: &[i64]) {
    for after in [0, 1, 2, 3, 10] {
        let path = format!("/api/killfeed?after={after}&limit=1000");
        let answer = answered(address, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(killmails_of(&answer).starts_with(&log[after..]), "{path}");
    }
    for (id, status) in [(1_001, 404), (3_001, 404), (3_300, 200), (9_001, 200)] {
        let answer = answered(address, &format!("/api/killmails/{id}")).await;
        assert_eq!(answer.status, status, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_of_days_that_are_not_kept_is_refused_when_it_is_asked_for() {
    let ((database, store), simulator) = (store().await, simulator().await);
    let folder = tempfile::tempdir().unwrap();
    let command = service(&simulator, folder.path(), database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env("WK_EVEREF_URL", simulator.everef_url())
        .env("WK_ADMIN_TOKEN", "open sesame");
    let running = command.start().await;
    wanderer_kills::runtime::tls::install();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |from: &str, to: &str| {
        let request = client
            .post(format!("http://{}/api/backfills", command.listen()))
            .bearer_auth("open sesame")
            .body(format!(r#"{{"from":"{from}","to":"{to}"}}"#));
        read(request).await
    };
    for (from, to) in [
        ("2023-01-01", "2023-12-31"),
        ("2024-06-30", "2024-06-30"),
        ("2024-06-30", "2024-07-10"),
    ] {
        let refused = ask(from, to).await;
        let problem = refused.json();
        assert_eq!(
            (refused.status, &problem["parameter"]),
            (400, &"from".into())
        );
        let detail = problem["detail"].as_str().unwrap();
        let expected = [
            &format!("from is \"{from}\", allowed is 2024-07-0"),
            " or a later day: WK_RETENTION_DAYS=",
        ];
        assert!(
            expected.iter().all(|part| detail.contains(part)),
            "{detail}"
        );
    }
    let jobs = "SELECT count(*) FROM backfill_jobs";
    let jobs: i64 = sqlx::query_scalar(jobs)
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(jobs, 0);
    assert_eq!(ask("2024-07-03", "2024-07-10").await.status, 202);
    assert_eq!(running.terminate().await, Some(0));
}

#[tokio::test]
async fn the_command_says_so_before_it_opens_or_asks_anything() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = ServiceCommand::new(&data)
        .env("WK_RETENTION_DAYS", kept_days())
        .run(&["backfill", "--from", "2024-06-30", "--to", "2024-07-10"])
        .await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("from is 2024-06-30, but WK_RETENTION_DAYS="),
        "{said}"
    );
    assert!(!data.exists(), "no database was started");
}
