//! Where it all happens: simulator, database behind a proxy on a disk of its own, and two processes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use tempfile::TempDir;
use tokio::time::Instant;
use wanderer_kills::runtime::descriptors;
use wanderer_kills::runtime::postgres::{EmbeddedPostgres, Settings as DatabaseSettings};
use wanderer_kills::simulator::{FaultPlan, Simulator, SimulatorConfig};

use super::disk::Disk;
use super::fake_clock::FakeClock;
use super::kept::Kept;
use super::schedule::Settings;
use crate::support::following::{all_systems, following, killmails, recorded};
use crate::support::http::get;
use crate::support::postgres::data_dir;
use crate::support::proxy::ChaosProxy;

/// Systems in which something happens; a list of them is short enough for every interface.
const SYSTEMS: usize = 60;
/// Share of the upstream's requests that meet a fault.
const FAULT_SHARE: f64 = 0.03;
/// Said by the process that follows the live source.
const INGESTS: &str = "wanderer_kills_ingest_leader 1";

/// The pieces. Dropped in this order: nobody uses the disk when it goes.
pub(super) struct Stage {
    pub(super) services: [Kept; 2],
    pub(super) proxy: ChaosProxy,
    pub(super) database: EmbeddedPostgres,
    pub(super) simulator: Simulator,
    /// That of the second process.
    pub(super) clock: Option<FakeClock>,
    pub(super) disk: tokio::sync::Mutex<Disk>,
    pub(super) systems: Vec<i64>,
    /// What happened, a line each.
    pub(super) diary: Mutex<Vec<String>>,
    /// When each killmail appeared.
    pub(super) published: Mutex<HashMap<i64, Instant>>,
    begun: Instant,
    folder: TempDir,
}

impl Stage {
    /// Everything runs and nothing has happened yet.
    pub(super) async fn set(settings: &Settings) -> Self {
        descriptors::raise();
        let folder = data_dir();
        let systems = all_systems()[..SYSTEMS].to_vec();
        let killmails = killmails(settings.seed, settings.killmails + SYSTEMS, &systems);
        let simulator = Simulator::start(SimulatorConfig {
            recorded: Some(recorded(folder.path(), &killmails)),
            ..SimulatorConfig::default()
        })
        .await
        .unwrap();
        simulator.set_fault_plan(Some(FaultPlan::random(settings.seed, FAULT_SHARE)));
        let disk = Disk::make(folder.path());
        let database = EmbeddedPostgres::start(DatabaseSettings::new(disk.data_dir()))
            .await
            .unwrap();
        let proxy = ChaosProxy::start(database.url()).await;
        let clock = FakeClock::find(folder.path());
        let command = |name: &str| {
            following(&simulator, folder.path())
                .env("DATABASE_URL", proxy.url())
                .env("WK_ZKB_URL", simulator.zkb_url())
                .env("WK_WEBHOOK_ALLOW", "127.0.0.0/8")
                .log_to(&folder.path().join(name))
        };
        let second = command("second.log");
        let second = match &clock {
            Some(clock) => clock.apply(second),
            None => second,
        };
        let services = [
            Kept::start(command("first.log")).await,
            Kept::start(second).await,
        ];
        Self {
            services,
            proxy,
            database,
            simulator,
            clock,
            disk: tokio::sync::Mutex::new(disk),
            systems,
            diary: Mutex::default(),
            published: Mutex::default(),
            begun: Instant::now(),
            folder,
        }
    }

    /// Publishes so many killmails.
    pub(super) fn publish(&self, count: usize) {
        let now = Instant::now();
        let published = self.simulator.publish(count);
        let ids = published.iter().map(|it| (it.killmail_id, now));
        self.published.lock().unwrap().extend(ids);
    }

    /// Notes that something happened.
    pub(super) fn note(&self, what: &str) {
        let at = self.begun.elapsed().as_secs_f64();
        let line = format!("{at:6.1} s  {what}");
        self.diary.lock().unwrap().push(line);
    }

    /// Which process ingests; the first one where none says so.
    pub(super) async fn leader(&self) -> usize {
        for (number, service) in self.services.iter().enumerate() {
            let metrics = get(service.address, "/metrics").await;
            if metrics.is_ok_and(|it| String::from_utf8_lossy(&it.body).contains(INGESTS)) {
                return number;
            }
        }
        0
    }

    /// Ends the processes in order; their exit codes.
    pub(super) async fn end(&self) -> [Option<i32>; 2] {
        let [first, second] = &self.services;
        let (first, second) = tokio::join!(first.stop(), second.stop());
        [first, second]
    }

    /// The logs of the processes, in a place that stays.
    pub(super) fn keep_logs(&self) -> PathBuf {
        let kept = tempfile::Builder::new().prefix("chaos-logs-").tempdir();
        let kept = kept.unwrap().keep();
        for name in ["first.log", "second.log"] {
            drop(std::fs::copy(
                self.folder.path().join(name),
                kept.join(name),
            ));
        }
        kept
    }
}
