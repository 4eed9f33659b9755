//! The live source against the simulator's faults: real sockets and a real database, but waits that pass at
//! once. Whatever goes wrong, every killmail is stored in the end and the server's rules are kept.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use rstest::rstest;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wanderer_kills::ingest::live::{self, EsiBodies, LiveDeps};
use wanderer_kills::runtime::clock::{Clock, TestClock};
use wanderer_kills::runtime::config::{DatabaseConfig, IngestConfig, LiveConfig, LiveSource};
use wanderer_kills::simulator::{Fault, FaultRule, Simulator, SimulatorConfig};
use wanderer_kills::store::{Store, killmails, migrate};
use wanderer_kills::upstream::esi::EsiClient;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use crate::support::postgres::{TestDatabase, database, text};

/// Real time after which a test has failed: nothing in it waits for real, so this is only a stop.
const TOO_LONG: Duration = Duration::from_mins(1);

fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()
}

/// A simulator, a database, and a live source that follows the one into the other.
struct Scene {
    clock: Arc<TestClock>,
    simulator: Simulator,
    database: TestDatabase,
    store: Store,
    deps: LiveDeps,
}

struct Running {
    token: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    async fn stop(self) {
        self.token.cancel();
        self.task.await.unwrap().unwrap();
    }
}

async fn scene(source: LiveSource) -> Scene {
    let clock = TestClock::at(start_time());
    let simulator = Simulator::start(SimulatorConfig {
        start_time: Some(start_time()),
        clock: clock.clone(),
        longest_poll: Duration::from_millis(20),
        ..SimulatorConfig::default()
    })
    .await
    .unwrap();
    let database = database().await;
    migrate::run(database.url()).await.unwrap();
    let store = Store::connect(database.url(), &DatabaseConfig::default())
        .await
        .unwrap();
    let settings = HttpSettings {
        longest_stall: Some(Duration::from_millis(300)),
        ..HttpSettings::default()
    };
    let http = HttpClient::new(&settings, clock.clone()).unwrap();
    let esi = EsiClient::new(http.clone(), simulator.esi_url());
    let deps = LiveDeps {
        store: store.clone(),
        clock: clock.clone(),
        live: LiveConfig {
            live_source: source,
            r2z2_url: simulator.r2z2_url(),
            redisq_url: simulator.redisq_url(),
            ..LiveConfig::default()
        },
        ingest: IngestConfig::default(),
        http,
        bodies: Some(Arc::new(EsiBodies::new(esi))),
    };
    Scene {
        clock,
        simulator,
        database,
        store,
        deps,
    }
}

impl Scene {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test waits for this task itself"
    )]
    fn follow(&self) -> Running {
        let token = CancellationToken::new();
        let task = tokio::spawn(live::run(self.deps.clone(), token.clone()));
        Running { token, task }
    }

    /// Waits until all these killmails are stored.
    async fn stores(&self, ids: &[i64]) {
        let arrive = async {
            loop {
                let known = killmails::known(&self.store.pool, ids).await.unwrap();
                if known.len() == ids.len() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(TOO_LONG, arrive).await.is_err() {
            let known = killmails::known(&self.store.pool, ids).await.unwrap();
            let asked = self.simulator.requests();
            let last = asked.len().saturating_sub(12);
            panic!(
                "{} of {} stored; last asked {:#?}",
                known.len(),
                ids.len(),
                asked.get(last..)
            );
        }
    }

    async fn count(&self, query: &str) -> i64 {
        let query = format!("SELECT ({query})::text");
        text(self.database.url(), &query)
            .await
            .unwrap()
            .parse()
            .unwrap()
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[rstest]
#[case::ghost_404(Fault::NotFoundGhost { for_requests: 8 }, 48)]
#[case::server_error(Fault::ServerError(503), 7)]
#[case::html(Fault::Html, 7)]
#[case::empty_body(Fault::EmptyBody, 7)]
#[case::truncated(Fault::TruncatedJson, 7)]
#[case::cut_connection(Fault::CutConnection, 7)]
#[case::rate_limited(Fault::TooManyRequests { retry_after: Some(40) }, 120)]
#[case::rate_limited_without_a_word(Fault::TooManyRequests { retry_after: None }, 60)]
#[case::banned(Fault::Forbidden, 3 * 3600)]
#[case::stalled(Fault::Stall(Duration::from_secs(20)), 7)]
#[case::no_body(Fault::NullBody, 0)]
#[tokio::test]
async fn a_passing_fault_costs_time_but_no_killmail(#[case] fault: Fault, #[case] waited: u64) {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(30);
    let ids: Vec<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    let rule = FaultRule::sequence(published[12].sequence, fault).times(3);
    scene.simulator.fault(rule);
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    assert!(scene.clock.monotonic() >= seconds(waited));
    assert_eq!(scene.simulator.violations(), []);
    assert_eq!(scene.count("SELECT count(*) FROM feed").await, 30);
}

#[tokio::test]
async fn a_permanent_gap_is_passed_over_and_noted() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(30);
    let missing = published[12].sequence;
    scene
        .simulator
        .fault(FaultRule::sequence(missing, Fault::GapForever));
    let ids: Vec<i64> = published
        .iter()
        .filter(|kill| kill.sequence != missing)
        .map(|kill| kill.killmail_id)
        .collect();
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    assert!(scene.clock.monotonic() >= seconds(66));
    assert_eq!(scene.simulator.violations(), []);
    let noted = format!("SELECT count(*) FROM source_gaps WHERE position = {missing}");
    assert_eq!(scene.count(&noted).await, 1);
}

#[tokio::test]
async fn a_gap_that_fills_later_is_closed_by_its_ladder() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(30);
    let late = published[12].sequence;
    let ids: Vec<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    // Missing for longer than it is waited for, so that it is passed over first.
    let rule = FaultRule::sequence(late, Fault::NotFoundGhost { for_requests: 13 });
    scene.simulator.fault(rule);
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    let open = format!("SELECT count(*) FROM source_gaps WHERE position = {late}");
    assert_eq!(scene.count(&open).await, 0);
    assert_eq!(scene.simulator.violations(), []);
}

#[tokio::test]
async fn a_restart_goes_on_after_the_last_stored_number() {
    let scene = scene(LiveSource::R2z2).await;
    let first = scene.simulator.publish(10);
    let ids: Vec<i64> = first.iter().map(|kill| kill.killmail_id).collect();
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    let asked = scene.simulator.request_count("/r2z2/ephemeral/");
    let second = scene.simulator.publish(5);
    let ids: Vec<i64> = second.iter().map(|kill| kill.killmail_id).collect();
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    let again = scene.simulator.requests().split_off(asked);
    let first_path = format!("/{}.json", first[9].sequence);
    assert!(
        again
            .iter()
            .all(|request| !request.path.ends_with(&first_path))
    );
}

#[tokio::test]
async fn a_number_uploaded_again_is_read_again() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(10);
    let running = scene.follow();
    scene.stores(&[published[9].killmail_id]).await;
    assert!(scene.simulator.relabel(published[3].sequence, "ganked"));
    scene.simulator.publish(1);
    let query = format!(
        "SELECT count(*) FROM killmails WHERE killmail_id = {} AND 'ganked' = ANY(labels)",
        published[3].killmail_id
    );
    let updated = async {
        while scene.count(&query).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, updated).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn redisq_hands_over_everything_bodies_from_esi() {
    let scene = scene(LiveSource::Redisq).await;
    let running = scene.follow();
    let first_poll = async {
        while scene.simulator.request_count("/redisq/listen.php") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, first_poll).await.unwrap();
    let published = scene.simulator.publish(8);
    let ids: Vec<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    scene.stores(&ids).await;
    running.stop().await;
    assert_eq!(scene.count("SELECT count(*) FROM feed").await, 8);
}
