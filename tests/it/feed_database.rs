//! The feed on a real database: several processes, lost connections, outages, restored backups.
#![expect(clippy::disallowed_methods, reason = "tests read the real time")]

use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::Index;
use sqlx::{Connection, Executor, PgConnection};
use wanderer_kills::domain::{Enrichment, FeedSequence, Filter, Killmail, Victim, wire};
use wanderer_kills::feed::{Error, Feed, Reader};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::{DatabaseConfig, FeedConfig};
use wanderer_kills::runtime::supervisor::Supervisor;
use wanderer_kills::store::Store;
use wanderer_kills::store::feed::{self as log, FeedEntry, FeedKind};
use wanderer_kills::store::killmails::{self, StorableKillmail};

use crate::support::postgres::{self, TestDatabase};

/// Longer than anything here takes; no test passes by waiting for it.
const LONG: Duration = Duration::from_mins(1);

/// A timer that never helps: what arrives has come by notification.
const NO_POLL_MS: u64 = 3_600_000;

fn config(ring_events: usize, feed_poll_ms: u64) -> FeedConfig {
    FeedConfig {
        feed_days: 7,
        ring_events: ring_events.try_into().unwrap(),
        ring_mb: 8.try_into().unwrap(),
        feed_poll_ms,
    }
}

/// One process: a store of its own and a feed on it.
struct Process {
    store: Store,
    feed: Feed,
    supervisor: Supervisor,
}

impl Process {
    async fn start(database: &TestDatabase, config: FeedConfig) -> Self {
        let connections = DatabaseConfig {
            database_connections: 4,
            ..DatabaseConfig::default()
        };
        let store = Store::connect(database.url(), &connections).await.unwrap();
        let supervisor = Supervisor::new();
        let feed = Feed::start(store.clone(), config, SystemClock::shared(), &supervisor)
            .await
            .unwrap();
        Self {
            store,
            feed,
            supervisor,
        }
    }

    fn reader(&self, cursor: Option<i64>, filter: Filter) -> Reader {
        self.feed.reader(cursor.map(FeedSequence), filter)
    }

    /// Waits until `ready` holds of the feed's state, looking again and again.
    async fn until(&self, ready: impl Fn(&wanderer_kills::feed::Status) -> bool + Send + Sync) {
        let reached = async {
            while !ready(&self.feed.status()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, reached).await.unwrap();
    }

    async fn stop(self) {
        self.supervisor.shut_down();
        self.supervisor.join().await.unwrap();
        self.store.pool.close().await;
    }
}

/// The committer's part: killmails and log in one transaction, on a connection of its own.
struct Writer {
    connection: PgConnection,
    next_id: i64,
}

impl Writer {
    async fn connect(database: &TestDatabase, first_id: i64) -> Self {
        Self {
            connection: PgConnection::connect(database.url()).await.unwrap(),
            next_id: first_id,
        }
    }

    /// Appends one killmail per system given, in one transaction. Returns the newest sequence.
    async fn append(&mut self, systems: &[i64]) -> FeedSequence {
        let mut batch = Vec::new();
        for system in systems {
            batch.push(kill(self.next_id, *system));
            self.next_id += 1;
        }
        let entries: Vec<FeedEntry> = batch
            .iter()
            .map(|storable| FeedEntry {
                killmail_id: storable.killmail.killmail_id,
                killmail_time: storable.killmail.killmail_time,
                solar_system_id: storable.killmail.solar_system_id,
                kind: FeedKind::New,
            })
            .collect();
        let mut transaction = self.connection.begin().await.unwrap();
        killmails::upsert(&mut transaction, &batch, &Enrichment::default())
            .await
            .unwrap();
        let last = log::append(&mut transaction, &entries).await.unwrap();
        transaction.commit().await.unwrap();
        last.unwrap()
    }

    async fn execute(&mut self, statement: &'static str) {
        self.connection.execute(statement).await.unwrap();
    }

    /// Ends every other connection to the database whose last statement is like `pattern`.
    async fn terminate(&mut self, pattern: &str) -> usize {
        let ended = sqlx::query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1",
        )
        .bind(pattern)
        .fetch_all(&mut self.connection)
        .await
        .unwrap();
        ended.len()
    }
}

fn kill(killmail_id: i64, solar_system_id: i64) -> StorableKillmail {
    let killmail = Killmail {
        killmail_id,
        hash: None,
        killmail_time: DateTime::<Utc>::from_timestamp(1_780_000_000, 0).unwrap(),
        solar_system_id,
        moon_id: None,
        war_id: None,
        victim: Victim {
            ship_type_id: Some(587),
            ..Victim::default()
        },
        attackers: Vec::new(),
        zkb: None,
    };
    StorableKillmail {
        document: wire::document(&killmail, &Enrichment::default()),
        killmail,
        pending_names: false,
    }
}

fn systems(ids: impl IntoIterator<Item = i64>) -> Filter {
    Filter {
        systems: ids.into_iter().collect(),
        ..Filter::default()
    }
}

/// Reads until the reader has got `count` events.
async fn take(reader: &mut Reader, count: usize) -> Vec<i64> {
    let mut sequences = Vec::new();
    while sequences.len() < count {
        let batch = reader.next(7, LONG).await.unwrap();
        assert!(!batch.events.is_empty() || batch.has_more, "nothing came");
        sequences.extend(batch.events.iter().map(|event| event.sequence.0));
    }
    sequences
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_deliver_everything_in_order() {
    let database = postgres::database().await;
    let processes = [
        Process::start(&database, config(1_000, NO_POLL_MS)).await,
        Process::start(&database, config(8, NO_POLL_MS)).await,
    ];
    let readers = processes.iter().flat_map(|process| {
        [
            (process.reader(None, Filter::default()), 240),
            (process.reader(Some(0), Filter::default()), 240),
            (process.reader(None, systems([2])), 80),
        ]
    });
    let reading = futures::future::join_all(
        readers.map(|(mut reader, count)| async move { take(&mut reader, count).await }),
    );
    let writing = futures::future::join_all((1..=4).map(|writer| {
        let database = &database;
        async move {
            let mut writer = Writer::connect(database, writer * 1_000).await;
            for _ in 0..20 {
                writer.append(&[1, 2, 3]).await;
            }
        }
    }));
    let (seen, _) = tokio::time::timeout(LONG, async { tokio::join!(reading, writing) })
        .await
        .unwrap();
    let everything: Vec<i64> = (1..=240).collect();
    let narrow: Vec<i64> = everything.iter().copied().filter(|s| s % 3 == 2).collect();
    for reader in seen.chunks(3) {
        assert_eq!(
            reader,
            [everything.clone(), everything.clone(), narrow.clone()]
        );
    }
    for process in processes {
        process.stop().await;
    }
}

#[tokio::test]
async fn what_is_committed_while_the_listener_is_cut_off_arrives() {
    let database = postgres::database().await;
    let process = Process::start(&database, config(100, NO_POLL_MS)).await;
    let mut writer = Writer::connect(&database, 1).await;
    process.until(|status| status.listening).await;
    let mut reader = process.reader(None, Filter::default());
    for round in 0..5 {
        assert_eq!(writer.terminate("LISTEN%").await, 1, "in round {round}");
        let last = writer.append(&[1, 2]).await;
        assert_eq!(take(&mut reader, 2).await, [last.0 - 1, last.0]);
    }
    process.stop().await;
}

#[tokio::test]
async fn an_outage_is_survived() {
    let database = postgres::database().await;
    let process = Process::start(&database, config(100, 20)).await;
    let mut writer = Writer::connect(&database, 1).await;
    process.until(|status| status.listening).await;
    let mut reader = process.reader(None, systems([2]));
    let mut behind = process.reader(Some(0), Filter::default());
    writer.append(&[2]).await;
    assert_eq!(take(&mut reader, 1).await, [1]);

    let name = postgres::text(database.url(), "SELECT current_database()::text")
        .await
        .unwrap();
    // A database can't be closed from within.
    let outside = database
        .url()
        .replacen(&format!("/{name}?"), "/postgres?", 1);
    let allow = |allowed: bool| format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
    postgres::execute(&outside, &allow(false)).await.unwrap();
    writer.terminate("%").await;
    process.until(|status| !status.listening).await;
    writer.append(&[1, 2, 3]).await;
    postgres::execute(&outside, &allow(true)).await.unwrap();

    assert_eq!(take(&mut reader, 1).await, [3]);
    assert_eq!(take(&mut behind, 4).await, [1, 2, 3, 4]);
    process.until(|status| status.listening).await;
    process.stop().await;
}

#[tokio::test]
async fn a_restored_database_does_not_wedge_the_feed() {
    let database = postgres::database().await;
    let process = Process::start(&database, config(100, 20)).await;
    let mut writer = Writer::connect(&database, 1).await;
    let head = writer.append(&[1; 5]).await;
    assert!(process.feed.wait_for(head, LONG).await);
    let mut ahead = process.reader(None, Filter::default());
    let mut behind = process.reader(Some(2), Filter::default());

    writer
        .execute("DELETE FROM feed WHERE sequence > 3; UPDATE feed_head SET head = 3")
        .await;
    let refused = ahead.next(10, LONG).await;
    assert!(
        matches!(
            refused,
            Err(Error::Ahead {
                head: FeedSequence(3),
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(take(&mut behind, 1).await, [3]);
    writer.append(&[1]).await;
    assert_eq!(take(&mut behind, 1).await, [4]);
    process.stop().await;
}

#[tokio::test]
async fn a_new_process_begins_with_the_newest_events() {
    let database = postgres::database().await;
    let mut writer = Writer::connect(&database, 1).await;
    writer.append(&[1; 50]).await;
    let process = Process::start(&database, config(10, NO_POLL_MS)).await;
    assert_eq!(process.feed.status().ring_events, 10);
    assert_eq!(process.feed.bounds().head, FeedSequence(50));
    assert_eq!(
        take(&mut process.reader(Some(45), Filter::default()), 5).await,
        [46, 47, 48, 49, 50]
    );
    assert_eq!(
        take(&mut process.reader(Some(0), Filter::default()), 50)
            .await
            .len(),
        50
    );
    process.stop().await;
}

#[tokio::test]
async fn pruned_events_are_told_apart_from_the_oldest_kept() {
    let database = postgres::database().await;
    let mut writer = Writer::connect(&database, 1).await;
    writer.append(&[1; 20]).await;
    writer
        .execute("UPDATE feed SET committed_at = now() - interval '8 days' WHERE sequence <= 10")
        .await;
    let process = Process::start(&database, config(4, 20)).await;
    let before = Utc::now() - chrono::TimeDelta::days(7);
    let mut transaction = writer.connection.begin().await.unwrap();
    assert_eq!(log::prune(&mut transaction, before, 100).await.unwrap(), 10);
    transaction.commit().await.unwrap();

    for filter in [Filter::default(), systems([1]), systems([9])] {
        let expired = process
            .reader(Some(9), filter)
            .next(10, Duration::ZERO)
            .await;
        assert!(
            matches!(
                expired,
                Err(Error::Expired {
                    floor: FeedSequence(10),
                    ..
                })
            ),
            "{expired:?}"
        );
    }
    let mut oldest = process.reader(Some(0), Filter::default());
    assert_eq!(take(&mut oldest, 10).await, (11..=20).collect::<Vec<_>>());
    process
        .until(|status| status.floor == FeedSequence(10))
        .await;
    process.stop().await;
}

#[tokio::test]
async fn stopping_ends_the_waits() {
    let database = postgres::database().await;
    let process = Process::start(&database, config(4, NO_POLL_MS)).await;
    let mut reader = process.reader(None, systems([1]));
    let (ended, ()) = tokio::join!(reader.next(10, LONG), async {
        process.supervisor.shut_down();
    });
    assert!(matches!(ended, Err(Error::Closed)));
    process.stop().await;
}

/// What may happen to a slow reader.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<i64>),
    Read(usize),
    Reconnect,
    /// To the other process.
    Move(Index),
    CutConnections,
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(1_i64..4, 1..9).prop_map(Step::Append),
        5 => (1_usize..6).prop_map(Step::Read),
        1 => Just(Step::Reconnect),
        1 => any::<Index>().prop_map(Step::Move),
        1 => Just(Step::CutConnections),
    ]
}

async fn play(database: &TestDatabase, case: i64, filter: Filter, steps: Vec<Step>) {
    let processes = [
        Process::start(database, config(3, 20)).await,
        Process::start(database, config(6, 20)).await,
    ];
    let mut writer = Writer::connect(database, case * 10_000 + 1).await;
    let begin = processes[0].feed.bounds().head;
    let mut reader = processes[0].reader(Some(begin.0), filter.clone());
    let mut owed: Vec<i64> = Vec::new();
    let mut seen: Vec<i64> = Vec::new();
    for step in steps {
        match step {
            Step::Append(systems) => {
                let last = writer.append(&systems).await.0;
                let first = last + 1 - i64::try_from(systems.len()).unwrap();
                let wanted = (first..).zip(&systems).filter(|(_, system)| {
                    filter.systems.is_empty() || filter.systems.contains(system)
                });
                owed.extend(wanted.map(|(sequence, _)| sequence));
            }
            // A cut connection may fail one read; the reader asks again, as clients do.
            Step::Read(limit) => {
                if let Ok(batch) = reader.next(limit, Duration::ZERO).await {
                    seen.extend(batch.events.iter().map(|event| event.sequence.0));
                }
            }
            Step::Reconnect => {
                reader = processes[0].reader(Some(reader.cursor().0), filter.clone());
            }
            Step::Move(to) => {
                reader = to
                    .get(&processes)
                    .reader(Some(reader.cursor().0), filter.clone());
            }
            Step::CutConnections => {
                writer.terminate("%").await;
            }
        }
    }
    while seen.len() < owed.len() {
        if let Ok(batch) = reader.next(5, LONG).await {
            seen.extend(batch.events.iter().map(|event| event.sequence.0));
        }
    }
    assert_eq!(seen, owed);
    for process in processes {
        process.stop().await;
    }
}

/// A slow reader that falls off tiny rings, is cut off and moves between processes still gets each event
/// once and in order.
#[test]
fn a_slow_reader_gets_each_event_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let database = runtime.block_on(postgres::database());
    let case = std::sync::atomic::AtomicI64::new(1);
    let narrow = prop_oneof![Just(Filter::default()), Just(systems([2]))];
    let scripts = (narrow, prop::collection::vec(steps(), 1..40));
    proptest!(ProptestConfig::with_cases(12), |((filter, steps) in scripts)| {
        let case = case.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        runtime.block_on(play(&database, case, filter, steps));
    });
}
