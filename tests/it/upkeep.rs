//! Upkeep: stored documents are completed, values are asked for, and one process does it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use wanderer_kills::domain::names::Subject;
use wanderer_kills::domain::{Attacker, Enrichment, Killmail, Victim, Zkb, wire};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::ingest::upkeep::completer::{Swept, sweep};
use wanderer_kills::ingest::upkeep::values::{ValuesDeps, fill};
use wanderer_kills::ingest::upkeep::{self, UpkeepDeps};
use wanderer_kills::ingest::{Pipeline, PipelineInput};
use wanderer_kills::runtime::clock::{Clock, SharedClock, SystemClock, TestClock};
use wanderer_kills::runtime::config::IngestConfig;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};
use wanderer_kills::store::killmails::{self, Change, StorableKillmail};
use wanderer_kills::store::{Store, names, ship_types, systems};
use wanderer_kills::upstream::esi::EsiClient;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};
use wanderer_kills::upstream::zkb::rest::ZkbRest;

use crate::store_samples::{enrichment, store, time, zkb};

const PATIENCE: Duration = Duration::from_secs(30);
/// Nobody in the tables.
const STRANGER: i64 = 92_000_000;

/// A killmail of which the tables can tell everything.
fn killmail(id: i64) -> Killmail {
    Killmail {
        killmail_id: id,
        hash: Some(format!("{id:040x}").parse().unwrap()),
        killmail_time: time("2026-01-01T00:00:00Z") + TimeDelta::seconds(id),
        solar_system_id: 30_000_142,
        moon_id: None,
        war_id: None,
        victim: Victim {
            character_id: Some(91_000_001),
            ship_type_id: Some(587),
            ..Victim::default()
        },
        attackers: vec![Attacker {
            ship_type_id: Some(587),
            final_blow: true,
            ..Attacker::default()
        }],
        zkb: None,
    }
}

async fn upsert_bare(store: &Store, killmails: Vec<Killmail>) -> Vec<Change> {
    let nothing = Enrichment::default();
    let batch: Vec<StorableKillmail> = killmails
        .into_iter()
        .map(|killmail| StorableKillmail {
            document: wire::document(&killmail, &nothing),
            pending_names: true,
            killmail,
        })
        .collect();
    let mut transaction = store.pool.begin().await.unwrap();
    let changes = killmails::upsert(&mut transaction, &batch, &nothing)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    changes
}

async fn fill_tables(store: &Store) {
    let known = enrichment();
    let named: Vec<_> = (known.names.iter())
        .map(|(key, name)| (*key, (**name).clone()))
        .collect();
    let types: Vec<_> = known.ship_types.values().map(|it| (**it).clone()).collect();
    let places: Vec<_> = (known.solar_systems.values())
        .map(|it| (**it).clone())
        .collect();
    names::upsert(&store.pool, &named).await.unwrap();
    ship_types::upsert(&store.pool, &types).await.unwrap();
    systems::upsert(&store.pool, &places).await.unwrap();
}

fn resolver(store: &Store) -> Resolver {
    Resolver::local(store.clone(), SystemClock::shared())
}

async fn number(store: &Store, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(&store.pool)
        .await
        .unwrap()
}

/// Asks again and again until the answer is 1.
async fn until(store: &Store, query: &'static str) {
    let seen = async {
        while number(store, query).await != 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .unwrap_or_else(|_| panic!("never came true: {query}"));
}

#[tokio::test]
async fn documents_are_completed_without_an_event() {
    let (_database, store) = store().await;
    let mut unnameable = killmail(4);
    unnameable.victim.character_id = Some(STRANGER);
    upsert_bare(&store, vec![killmail(1), killmail(2), killmail(3)]).await;
    let nothing = sweep(&store, &resolver(&store)).await.unwrap();
    let expected = |written, completed, left| Swept {
        written,
        completed,
        left,
    };
    assert_eq!(nothing, expected(0, 0, 3));
    let untouched = "SELECT count(*) FROM killmails WHERE updated_at = stored_at";
    assert_eq!(number(&store, untouched).await, 3);

    upsert_bare(&store, vec![unnameable]).await;
    fill_tables(&store).await;
    let all = sweep(&store, &resolver(&store)).await.unwrap();
    assert_eq!(all, expected(4, 3, 1));
    let again = sweep(&store, &resolver(&store)).await.unwrap();
    assert_eq!(again, expected(0, 0, 1));
    let filled =
        "SELECT count(*) FROM killmails WHERE region_id = 10000002 AND constellation_id = 20000020
        AND security_status > 0.9 AND ship_group_id = 25 AND ship_group_codes = '\\x8019'";
    assert_eq!(number(&store, filled).await, 4);
    let groups = "SELECT count(*) FROM attackers WHERE ship_group_id = 25";
    assert_eq!(number(&store, groups).await, 4);
    assert_eq!(number(&store, "SELECT count(*) FROM feed").await, 0);
    let stored = killmails::get(&store.pool, 2, false).await.unwrap();
    assert_eq!(
        stored.unwrap().document,
        wire::document(&killmail(2), &enrichment())
    );
}

#[tokio::test]
async fn what_is_given_up_counts_as_complete() {
    let (_database, store) = store().await;
    let mut unnameable = killmail(4);
    unnameable.victim.character_id = Some(STRANGER);
    upsert_bare(&store, vec![unnameable]).await;
    fill_tables(&store).await;
    let stranger = Subject::from_parts("character", STRANGER).unwrap();
    let mut conn = store.pool.acquire().await.unwrap();
    let done = killmails::complete(&mut conn, &[4], &enrichment(), &[stranger].into())
        .await
        .unwrap();
    assert_eq!((done.written, done.completed), (1, 1));
}

#[tokio::test]
async fn an_update_leaves_the_columns_to_be_filled() {
    let (_database, store) = store().await;
    upsert_bare(&store, vec![killmail(1)]).await;
    fill_tables(&store).await;
    let mut valued = killmail(1);
    valued.zkb = Some(zkb());
    let batch = [StorableKillmail {
        document: wire::document(&valued, &enrichment()),
        pending_names: false,
        killmail: valued,
    }];
    let mut conn = store.pool.acquire().await.unwrap();
    let changes = killmails::upsert(&mut conn, &batch, &enrichment()).await;
    assert_eq!(changes.unwrap(), [Change::Updated]);
    drop(conn);
    assert_eq!(sweep(&store, &resolver(&store)).await.unwrap().completed, 1);
    let filled =
        "SELECT count(*) FROM killmails WHERE region_id = 10000002 AND total_value = 150.5";
    assert_eq!(number(&store, filled).await, 1);
}

#[tokio::test]
async fn a_concurrent_update_is_not_lost() {
    let (_database, store) = store().await;
    upsert_bare(&store, vec![killmail(1)]).await;
    fill_tables(&store).await;
    let mut valued = killmail(1);
    valued.zkb = Some(zkb());
    let batch = [StorableKillmail {
        document: wire::document(&valued, &Enrichment::default()),
        pending_names: true,
        killmail: valued.clone(),
    }];
    let mut transaction = store.pool.begin().await.unwrap();
    killmails::upsert(&mut transaction, &batch, &Enrichment::default())
        .await
        .unwrap();
    let resolver = resolver(&store);
    let commit = async {
        until(
            &store,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock'",
        )
        .await;
        transaction.commit().await.unwrap();
    };
    let (swept, ()) = tokio::join!(sweep(&store, &resolver), commit);
    assert_eq!(swept.unwrap().completed, 1);
    let stored = killmails::get(&store.pool, 1, false).await.unwrap();
    assert_eq!(
        stored.unwrap().document,
        wire::document(&valued, &enrichment())
    );
}

/// A pipeline into `store`, and what drives it.
fn pipeline(
    store: &Store,
    clock: SharedClock,
) -> (PipelineInput, BoxFuture<'static, anyhow::Result<()>>) {
    let pipeline = Pipeline {
        store: store.clone(),
        config: IngestConfig::default(),
        resolver: Resolver::local(store.clone(), clock.clone()),
        clock,
        bodies: None,
        fence: None,
    };
    pipeline.start(CancellationToken::new())
}

#[tokio::test]
async fn one_keeps_up_and_another_takes_over() {
    let (_database, store) = store().await;
    let (input, _pipeline) = pipeline(&store, SystemClock::shared());
    let start = |token: &CancellationToken| {
        let deps = UpkeepDeps {
            store: store.clone(),
            clock: SystemClock::shared(),
            resolver: resolver(&store),
            zkb: None,
            input: input.clone(),
            ingest: IngestConfig::default(),
            reference_data: None,
        };
        tokio::spawn(upkeep::run(deps, token.clone()))
    };
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let first_run = start(&first);
    until(&store, held).await;
    fill_tables(&store).await;
    upsert_bare(&store, vec![killmail(1)]).await;
    let second_run = start(&second);
    first.cancel();
    first_run.await.unwrap().unwrap();
    until(
        &store,
        "SELECT count(*) FROM killmails WHERE NOT pending_names",
    )
    .await;
    assert_eq!(number(&store, held).await, 1);
    second.cancel();
    second_run.await.unwrap().unwrap();
    until(
        &store,
        "SELECT (count(*) = 0)::int::bigint FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .await;
}

fn start_time() -> DateTime<Utc> {
    time("2026-11-01T12:00:00Z")
}

fn http(clock: SharedClock) -> HttpClient {
    HttpClient::new(&HttpSettings::default(), clock).unwrap()
}

#[tokio::test]
async fn values_are_filled_in_once_and_announced() {
    let (_database, store) = store().await;
    let clock = TestClock::at(start_time());
    let simulator = Simulator::start(SimulatorConfig {
        start_time: Some(start_time()),
        clock: TestClock::at(start_time()),
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    let published = simulator.publish(1).remove(0);
    let esi = EsiClient::new(http(clock.clone()), simulator.esi_url());
    let (id, hash) = (published.killmail_id, published.hash.unwrap());
    let facts = esi.killmail(id, hash).await.unwrap();
    upsert_bare(&store, vec![facts]).await;
    let (input, driving) = pipeline(&store, clock.clone());
    let driving = tokio::spawn(driving);
    let shared: SharedClock = clock.clone();
    let zkb = ZkbRest::new(http(clock.clone()), simulator.zkb_url());
    let deps = ValuesDeps {
        store: &store,
        clock: &shared,
        zkb: &zkb,
        input: &input,
        days: 7,
    };
    assert_eq!(fill(deps).await.unwrap(), 0, "zKillboard holds it back");
    clock.advance(Duration::from_mins(30));
    assert_eq!(fill(deps).await.unwrap(), 1);
    assert_eq!(fill(deps).await.unwrap(), 0);
    assert_eq!(simulator.request_count("/zkb/api/killID/"), 1);
    let filled = "SELECT count(*) FROM killmails WHERE total_value > 0";
    assert_eq!(number(&store, filled).await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM feed").await, 1);
    assert!(simulator.violations().is_empty());
    drop(input);
    driving.await.unwrap().unwrap();
    simulator.shutdown().await;
}

#[tokio::test]
async fn values_that_are_nowhere_are_given_up() {
    let (_database, store) = store().await;
    let clock = TestClock::at(start_time());
    let simulator = Simulator::start(SimulatorConfig {
        start_time: Some(start_time()),
        clock: TestClock::at(start_time()),
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    let mut unknown = killmail(9_000_000_001);
    unknown.killmail_time = start_time() - TimeDelta::hours(1);
    let mut valued = killmail(9_000_000_002);
    valued.killmail_time = unknown.killmail_time;
    valued.zkb = Some(Zkb::clone(&zkb()));
    upsert_bare(&store, vec![unknown, valued]).await;
    let (input, _pipeline) = pipeline(&store, clock.clone());
    let shared: SharedClock = clock.clone();
    let client = ZkbRest::new(http(clock.clone()), simulator.zkb_url());
    let deps = ValuesDeps {
        store: &store,
        clock: &shared,
        zkb: &client,
        input: &input,
        days: 7,
    };
    for minutes in [10, 60, 360, 1440] {
        assert_eq!(fill(deps).await.unwrap(), 1);
        assert_eq!(fill(deps).await.unwrap(), 0);
        clock.advance(Duration::from_mins(minutes - 1));
        assert_eq!(fill(deps).await.unwrap(), 0, "before {minutes} min");
        clock.advance(Duration::from_mins(1));
    }
    assert_eq!(fill(deps).await.unwrap(), 1);
    clock.advance(Duration::from_hours(72));
    assert_eq!(fill(deps).await.unwrap(), 0);
    let given_up =
        "SELECT count(*) FROM value_attempts WHERE attempts = 5 AND next_attempt_at IS NULL";
    assert_eq!(number(&store, given_up).await, 1);
    assert_eq!(simulator.request_count("/zkb/api/killID/"), 5);
    assert!(clock.now() > start_time());
    simulator.shutdown().await;
}
