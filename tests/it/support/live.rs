//! A simulator, a database, and a live source that follows the one into the other, on a clock whose waits
//! pass at once.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wanderer_kills::ingest::live::{self, EsiBodies, LiveDeps, Standing};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::runtime::config::{DatabaseConfig, IngestConfig, LiveConfig, LiveSource};
use wanderer_kills::simulator::{Simulator, SimulatorConfig};
use wanderer_kills::store::{Store, killmails};
use wanderer_kills::upstream::esi::EsiClient;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use super::postgres::{TestDatabase, database, text};

/// Real time after which a test has failed: nothing in it waits for real, so this is only a stop.
pub(crate) const TOO_LONG: Duration = Duration::from_mins(3);

pub(crate) fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()
}

/// A simulator, a database, and a live source that follows the one into the other.
pub(crate) struct Scene {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) simulator: Simulator,
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    pub(crate) deps: LiveDeps,
}

/// A live source at work.
pub(crate) struct Running {
    token: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Asks it to stop and waits until it has drained.
    pub(crate) async fn stop(self) {
        self.ask_to_stop();
        self.task.await.unwrap().unwrap();
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&self) {
        self.token.cancel();
    }
}

/// A scene whose killmails have not begun.
pub(crate) async fn scene(source: LiveSource) -> Scene {
    scene_with(source, SimulatorConfig::default()).await
}

/// The same with a simulator of another kind; its times are the scene's all the same.
pub(crate) async fn scene_with(source: LiveSource, config: SimulatorConfig) -> Scene {
    let clock = TestClock::at(start_time());
    let simulator = Simulator::start(SimulatorConfig {
        start_time: Some(start_time()),
        clock: clock.clone(),
        longest_poll: Duration::from_millis(20),
        ..config
    })
    .await
    .unwrap();
    let database = database().await;
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
        resolver: Resolver::local(store.clone(), clock.clone()),
        bodies: Some(Arc::new(EsiBodies::new(esi))),
        standing: Standing::default(),
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
    /// Starts to follow.
    #[expect(
        clippy::disallowed_methods,
        reason = "the test waits for this task itself"
    )]
    pub(crate) fn follow(&self) -> Running {
        let token = CancellationToken::new();
        let task = tokio::spawn(live::run(self.deps.clone(), token.clone()));
        Running { token, task }
    }

    /// Waits until all these killmails are stored.
    pub(crate) async fn stores(&self, ids: &[i64]) {
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

    /// Waits until a query answers more than 0.
    pub(crate) async fn until(&self, query: &str) {
        let comes_true = async {
            while self.count(query).await <= 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(TOO_LONG, comes_true)
            .await
            .unwrap_or_else(|_| panic!("{query}"));
    }

    /// The number that a query answers.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        let query = format!("SELECT ({query})::text");
        text(self.database.url(), &query)
            .await
            .unwrap()
            .parse()
            .unwrap()
    }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
