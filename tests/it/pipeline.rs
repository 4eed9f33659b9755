//! The pipeline on a real PostgreSQL: each killmail stored and announced exactly once, whatever happens.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeZone, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wanderer_kills::domain::{FeedSequence, Killmail, Reference};
use wanderer_kills::ingest::pipeline::{BodyError, FetchBody};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::ingest::{
    Announce, CursorMove, Envelope, Fence, Outcome, Payload, Pipeline, PipelineInput,
};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::{DatabaseConfig, IngestConfig};
use wanderer_kills::store::feed::{FeedKind, FeedRow};
use wanderer_kills::store::killmails::Change;
use wanderer_kills::store::{Store, cursors, dead_letters, feed, gaps, killmails};

use crate::store_samples::store;
use crate::support::postgres::{execute, text};
use crate::support::proxy::ChaosProxy;

const SOURCE: &str = "r2z2";

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()
}

/// A document as R2Z2 serves it.
fn document(killmail_id: i64, total_value: i64) -> Bytes {
    let hash = format!("{killmail_id:040x}");
    Bytes::from(format!(
        r#"{{"killmail_id":{killmail_id},"hash":"{hash}","esi":{{"killmail_id":{killmail_id},
        "killmail_time":"2026-11-01T12:00:00Z","solar_system_id":30000142,
        "victim":{{"damage_taken":10,"ship_type_id":587,"character_id":90000001}},
        "attackers":[{{"damage_done":10,"final_blow":true,"security_status":-1.5,"ship_type_id":603}}]}},
        "zkb":{{"hash":"{hash}","totalValue":{total_value},"npc":false,"labels":["pvp"]}},
        "uploaded_at":1793534400,"sequence_id":1}}"#
    ))
}

fn reference(killmail_id: i64) -> Bytes {
    let hash = format!("{killmail_id:040x}");
    Bytes::from(format!(
        r#"{{"killmail_id":{killmail_id},"hash":"{hash}","esi":null,"zkb":{{"hash":"{hash}"}}}}"#
    ))
}

fn envelope(payload: Payload) -> Envelope {
    Envelope {
        source: SOURCE,
        origin: "test".to_owned(),
        payload,
        received_at: noon(),
        announce: Announce::Always,
        cursor: None,
        gaps: Vec::new(),
        closes_gap: None,
        done: None,
    }
}

fn numbered(position: i64, bytes: Bytes) -> Envelope {
    Envelope {
        origin: position.to_string(),
        cursor: Some(CursorMove {
            position,
            detail: None,
            rewind: false,
        }),
        ..envelope(Payload::Raw(bytes))
    }
}

fn pipeline(store: &Store) -> Pipeline {
    Pipeline {
        store: store.clone(),
        config: IngestConfig {
            batch_size: NonZeroUsize::new(500).unwrap(),
            announce_hours: 24,
            ..IngestConfig::default()
        },
        clock: SystemClock::shared(),
        resolver: Resolver::local(store.clone(), SystemClock::shared()),
        bodies: None,
        fence: None,
    }
}

async fn fenced(store: &Store) -> Pipeline {
    let epoch = cursors::take_over(&store.pool, SOURCE).await.unwrap();
    Pipeline {
        fence: Some(Fence {
            source: SOURCE,
            epoch,
        }),
        ..pipeline(store)
    }
}

/// A pipeline at work.
struct Running {
    input: PipelineInput,
    token: CancellationToken,
    driver: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the pipeline's supervisor"
    )]
    fn start(pipeline: Pipeline) -> Self {
        let token = CancellationToken::new();
        let (input, driver) = pipeline.start(token.clone());
        Self {
            input,
            token,
            driver: tokio::spawn(driver),
        }
    }

    /// Hands an envelope in; the outcome arrives later.
    async fn send(&self, envelope: Envelope) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        let envelope = Envelope {
            done: Some(done),
            ..envelope
        };
        self.input.send(envelope).await.unwrap();
        outcome
    }

    /// Hands envelopes in without waiting between them, then waits for all outcomes.
    async fn send_all(&self, envelopes: impl IntoIterator<Item = Envelope>) -> Vec<Outcome> {
        let mut pending = Vec::new();
        for envelope in envelopes {
            pending.push(self.send(envelope).await);
        }
        let outcomes = futures::future::try_join_all(pending).await;
        outcomes.unwrap()
    }

    /// Closes the input and waits for the end.
    async fn finish(self) -> anyhow::Result<()> {
        drop(self.input);
        self.driver.await.unwrap()
    }
}

fn change(outcome: &Outcome) -> Change {
    match outcome {
        Outcome::Stored { change, .. } => *change,
        other @ (Outcome::DeadLetter { .. }
        | Outcome::Deferred
        | Outcome::Expired
        | Outcome::Nothing) => {
            panic!("not stored: {other:?}")
        }
    }
}

/// The whole log.
async fn log(store: &Store) -> Vec<FeedRow> {
    feed::page(&store.pool, FeedSequence(0), 10_000)
        .await
        .unwrap()
}

/// Asserts that the log announces `ids` in this order, each once, without holes.
async fn assert_announced_once(store: &Store, ids: impl IntoIterator<Item = i64>) {
    let rows = log(store).await;
    let announced: Vec<(i64, i64)> = rows
        .iter()
        .map(|row| (row.sequence.0, row.killmail_id))
        .collect();
    let expected: Vec<(i64, i64)> = (1..).zip(ids).collect();
    assert_eq!(announced, expected);
}

#[tokio::test]
async fn stores_and_announces_once_what_is_sent_again_and_again() {
    let (_database, store) = store().await;
    let running = Running::start(pipeline(&store));
    for round in 0..3 {
        let envelopes = (1..=30).map(|id| envelope(Payload::Raw(document(id, 10))));
        let outcomes = running.send_all(envelopes).await;
        let expected = if round == 0 {
            Change::New
        } else {
            Change::Unchanged
        };
        assert!(outcomes.iter().all(|outcome| change(outcome) == expected));
    }
    running.finish().await.unwrap();
    assert_announced_once(&store, 1..=30).await;
}

#[tokio::test]
async fn changed_values_are_announced_as_updated() {
    let (_database, store) = store().await;
    let running = Running::start(pipeline(&store));
    for (value, expected) in [(10, Change::New), (20, Change::Updated)] {
        let sent = [envelope(Payload::Raw(document(1, value)))];
        let outcomes = running.send_all(sent).await;
        assert_eq!(change(&outcomes[0]), expected);
    }
    running.finish().await.unwrap();
    let kinds: Vec<FeedKind> = log(&store).await.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [FeedKind::New, FeedKind::Updated]);
}

#[tokio::test]
async fn the_same_killmail_within_a_batch_is_announced_once_with_its_last_values() {
    let (_database, store) = store().await;
    let (input, driver) = pipeline(&store).start(CancellationToken::new());
    for value in [10, 10, 20] {
        let sent = envelope(Payload::Raw(document(1, value)));
        input.send(sent).await.unwrap();
    }
    drop(input);
    // Started only now, so that all three wait together.
    driver.await.unwrap();
    assert_announced_once(&store, [1]).await;
    let stored = killmails::get(&store.pool, 1, false)
        .await
        .unwrap()
        .unwrap();
    let document: serde_json::Value = serde_json::from_str(&stored.document).unwrap();
    assert_eq!(document["zkb"]["totalValue"].as_f64(), Some(20.0));
}

#[tokio::test]
async fn the_database_refuses_one_killmail_and_takes_all_others() {
    let (database, store) = store().await;
    let poison = "ALTER TABLE killmails ADD CHECK (killmail_id <> 13)";
    execute(database.url(), poison).await.unwrap();
    let running = Running::start(fenced(&store).await);
    let envelopes = (1..=20).map(|id| numbered(id, document(id, 10)));
    let outcomes = running.send_all(envelopes).await;
    running.finish().await.unwrap();
    assert!(matches!(outcomes[12], Outcome::DeadLetter { .. }));
    assert_announced_once(&store, (1..=20).filter(|id| *id != 13)).await;
    let letters = dead_letters::newest(&store.pool, 10).await.unwrap();
    let [letter] = letters.as_slice() else {
        panic!("not one dead letter: {letters:?}");
    };
    assert_eq!(letter.code, "refused_by_database");
    assert_eq!(letter.payload, document(13, 10));
    let cursor = cursors::load(&store.pool, SOURCE).await.unwrap().unwrap();
    assert_eq!(cursor.position, 20);
}

#[tokio::test]
async fn garbage_becomes_dead_letters_and_the_stream_goes_on() {
    let (_database, store) = store().await;
    let running = Running::start(fenced(&store).await);
    let garbage = ["", "<html>", "{}", "[1,2]", r#"{"killmail_id":-1}"#];
    let documents = garbage.into_iter().map(Bytes::from);
    let envelopes = documents.chain([document(1, 10)]);
    let envelopes = (1..).zip(envelopes);
    let outcomes = running
        .send_all(envelopes.map(|(position, bytes)| numbered(position, bytes)))
        .await;
    running.finish().await.unwrap();
    for outcome in &outcomes[..garbage.len()] {
        assert!(matches!(outcome, Outcome::DeadLetter { .. }), "{outcome:?}");
    }
    assert_announced_once(&store, [1]).await;
    let kept = dead_letters::count(&store.pool).await.unwrap();
    assert_eq!(kept, 5);
}

#[tokio::test]
async fn an_outage_of_the_database_neither_loses_nor_doubles() {
    const ROUNDS: i64 = 4;
    const PER_ROUND: i64 = 40;
    let (database, direct) = store().await;
    let mut proxy = ChaosProxy::start(database.url()).await;
    let store = Store::connect(proxy.url(), &DatabaseConfig::default())
        .await
        .unwrap();
    let running = Running::start(fenced(&store).await);
    for round in 0..ROUNDS {
        let first = round * PER_ROUND + 1;
        let mut pending = Vec::new();
        for id in first..first + PER_ROUND {
            pending.push(running.send(numbered(id, document(id, 10))).await);
            if id == first + PER_ROUND / 2 {
                proxy.cut();
            }
        }
        proxy.refuses().await;
        proxy.restore();
        futures::future::try_join_all(pending).await.unwrap();
    }
    running.finish().await.unwrap();
    assert_announced_once(&direct, 1..=ROUNDS * PER_ROUND).await;
    let cursor = cursors::load(&direct.pool, SOURCE).await.unwrap().unwrap();
    assert_eq!(cursor.position, ROUNDS * PER_ROUND);
}

#[tokio::test]
async fn cancelling_ends_a_pipeline_whose_database_is_away() {
    let (database, direct) = store().await;
    let mut proxy = ChaosProxy::start(database.url()).await;
    let store = Store::connect(proxy.url(), &DatabaseConfig::default())
        .await
        .unwrap();
    let running = Running::start(fenced(&store).await);
    proxy.cut();
    let outcome = running.send(numbered(1, document(1, 10))).await;
    proxy.refuses().await;
    running.token.cancel();
    running.driver.await.unwrap().unwrap();
    assert!(outcome.await.is_err());
    assert_announced_once(&direct, []).await;
    let cursor = cursors::load(&direct.pool, SOURCE).await.unwrap();
    assert_ne!(cursor.map(|cursor| cursor.position), Some(1));
}

#[tokio::test]
async fn fenced_off_it_stores_nothing_more_and_fails() {
    let (_database, store) = store().await;
    let running = Running::start(fenced(&store).await);
    running.send_all([numbered(1, document(1, 10))]).await;
    cursors::take_over(&store.pool, SOURCE).await.unwrap();
    let outcome = running.send(numbered(2, document(2, 10))).await;
    assert!(outcome.await.is_err());
    let error = running.finish().await.unwrap_err();
    assert!(error.to_string().contains("fenced off"), "{error}");
    assert_announced_once(&store, [1]).await;
}

#[tokio::test]
async fn a_cursor_is_not_moved_without_the_right_to() {
    let (_database, store) = store().await;
    let running = Running::start(pipeline(&store));
    let outcome = running.send(numbered(1, document(1, 10))).await;
    assert!(outcome.await.is_err());
    let error = running.finish().await.unwrap_err();
    assert!(error.to_string().contains("no right"), "{error}");
    assert_announced_once(&store, []).await;
}

/// A server whose bodies can't be had now.
#[derive(Debug)]
struct Busy;

impl FetchBody for Busy {
    fn fetch(&self, _reference: Reference) -> BoxFuture<'static, Result<Killmail, BodyError>> {
        async { Err(BodyError::Later("busy".to_owned())) }.boxed()
    }
}

#[tokio::test]
async fn a_missing_body_is_a_gap_until_it_comes() {
    let (_database, store) = store().await;
    let busy = Pipeline {
        bodies: Some(Arc::new(Busy)),
        ..fenced(&store).await
    };
    let running = Running::start(busy);
    let outcomes = running.send_all([numbered(7, reference(1))]).await;
    assert_eq!(outcomes, [Outcome::Deferred]);
    let later = Utc.with_ymd_and_hms(2100, 1, 1, 0, 0, 0).unwrap();
    let open = gaps::due(&store.pool, SOURCE, later, 10).await.unwrap();
    let [gap] = open.as_slice() else {
        panic!("not one gap: {open:?}");
    };
    assert_eq!((gap.position, gap.reason), (7, gaps::GapReason::NoBody));
    assert_eq!(gap.payload.as_deref(), Some(reference(1).as_ref()));
    let cursor = cursors::load(&store.pool, SOURCE).await.unwrap().unwrap();
    assert_eq!(cursor.position, 7);

    let found = Envelope {
        closes_gap: Some(7),
        ..envelope(Payload::Raw(document(1, 10)))
    };
    running.send_all([found]).await;
    running.finish().await.unwrap();
    let open = gaps::due(&store.pool, SOURCE, later, 10).await.unwrap();
    assert_eq!(open, []);
    assert_announced_once(&store, [1]).await;
}

#[tokio::test]
async fn history_is_announced_only_if_it_is_recent() {
    let (database, store) = store().await;
    let running = Running::start(pipeline(&store));
    let old = Envelope {
        announce: Announce::IfRecent,
        ..envelope(Payload::Raw(
            String::from_utf8(document(1, 10).to_vec())
                .unwrap()
                .replace("2026-11-01", "2019-11-01")
                .into(),
        ))
    };
    let outcomes = running.send_all([old]).await;
    running.finish().await.unwrap();
    assert_eq!(change(&outcomes[0]), Change::New);
    assert_announced_once(&store, []).await;
    let stored = text(database.url(), "SELECT count(*)::text FROM killmails").await;
    assert_eq!(stored.unwrap(), "1");
}
