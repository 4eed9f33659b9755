//! A running simulator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use url::Url;

use super::archives::HistoryServer;
use super::config::SimulatorConfig;
use super::edition::Edition;
use super::etiquette::Violation;
use super::fault::{FaultPlan, FaultRule};
use super::journal::Request;
use super::server::{Shared, router};
use super::source::Error;
use super::world::Published;
use crate::domain::Killmail;

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    base: Url,
    tasks: Mutex<JoinSet<()>>,
}

/// The fastest that it publishes by itself; beyond, `publish` in batches is the tool.
const MAX_RATE: f64 = 10_000.0;

impl Simulator {
    /// Listens, makes its history, and starts to publish where a rate is set.
    ///
    /// # Errors
    /// The address is taken, or the file of recorded killmails can't be read.
    pub async fn start(config: SimulatorConfig) -> Result<Self, Error> {
        let address = config.listen;
        let rate = config.rate_per_second;
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared::new(config)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        if let Some(rate) = rate.filter(|it| *it > 0.0) {
            tasks.spawn(publish(Arc::clone(&shared), rate));
        }
        Ok(Self {
            base: base_url(address)?,
            shared,
            tasks: Mutex::new(tasks),
        })
    }

    /// `http://127.0.0.1:…/`.
    pub fn base_url(&self) -> Url {
        self.base.clone()
    }

    /// R2Z2's base URL.
    pub fn r2z2_url(&self) -> Url {
        self.below("r2z2/")
    }

    /// RedisQ's and the relay's base URL.
    pub fn redisq_url(&self) -> Url {
        self.below("redisq/")
    }

    /// zKillboard's base URL; its REST lists are under `api/`.
    pub fn zkb_url(&self) -> Url {
        self.below("zkb/")
    }

    /// ESI's base URL.
    pub fn esi_url(&self) -> Url {
        self.below("esi/")
    }

    /// EVE Ref's base URL.
    pub fn everef_url(&self) -> Url {
        self.below("everef/")
    }

    /// Base URL of the static data.
    pub fn ship_types_url(&self) -> Url {
        self.below("ship-types/")
    }

    /// Offers another edition of the static data from now on.
    pub fn offer(&self, edition: Edition) {
        *self.shared.edition() = edition;
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// Publishes so many killmails at once.
    pub fn publish(&self, count: usize) -> Vec<Published> {
        self.shared.publish(count)
    }

    /// Uploads a number again with one more label (`ganked`, say); the next new document tells of it.
    /// False where the number is not there.
    pub fn relabel(&self, sequence: i64, label: &str) -> bool {
        let now = self.shared.clock().now();
        self.shared.world().relabel(sequence, label, now)
    }

    /// The killmails of a day of EVE Ref's archives as they are now, by id.
    pub fn archived(&self, day: NaiveDate) -> Vec<Killmail> {
        let shelved = self.shared.shelf().day(HistoryServer::EveRef, day);
        shelved.map_or_else(Vec::new, |it| it.killmails().collect())
    }

    /// Gives a day of the archives so many killmails from now on: mails came late, or were lost. Its file is
    /// another version even where the number is the same; none at all makes it 404.
    pub fn resize_day(&self, day: NaiveDate, killmails: u32) {
        for server in [HistoryServer::EveRef, HistoryServer::R2z2] {
            self.resize_day_of(server, day, killmails);
        }
    }

    /// The same for one server: the other one has what it had.
    pub fn resize_day_of(&self, server: HistoryServer, day: NaiveDate, killmails: u32) {
        self.shared.shelf().resize(server, day, killmails);
    }

    /// Lets a server's totals say something else than its file of a day has.
    pub fn miscount_day(&self, server: HistoryServer, day: NaiveDate, told: usize) {
        self.shared.shelf().miscount(server, day, told);
    }

    /// Everything under a number that is still kept, by number.
    pub fn published(&self) -> Vec<Published> {
        self.shared.world().published()
    }

    /// Every request so far (without those to `/simulator/`), in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.journal().all()
    }

    /// Requests whose path begins so.
    pub fn request_count(&self, path_prefix: &str) -> usize {
        self.shared.journal().count(path_prefix)
    }

    /// Where clients of R2Z2 broke its rules.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.r2z2().violations()
    }

    /// Requests to ESI that went beyond one of its limits (429 and 420, those of faults not counted).
    pub fn esi_refusals(&self) -> usize {
        self.shared.esi_refusals()
    }

    /// Adds a fault.
    pub fn fault(&self, rule: FaultRule) {
        self.shared.faults().add(rule);
    }

    /// Sets or ends the random faults.
    pub fn set_fault_plan(&self, plan: Option<FaultPlan>) {
        self.shared.faults().set_plan(plan);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Stops listening and publishing, and waits until its tasks have ended.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

fn base_url(address: SocketAddr) -> Result<Url, Error> {
    Url::parse(&format!("http://{address}/")).map_err(|source| Error::Url { address, source })
}

/// How long open connections may finish what they are at.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until asked to stop. Idle connections are closed then, busy ones get [`GRACE`].
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let stop = shared.stop.clone();
    let server = axum::serve(listener, router(shared))
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = overdue => {}
        ended = server => if let Err(error) = ended {
            tracing::error!(%error, "the simulator's server ended");
        }
    }
}

/// Publishes at a steady rate until asked to stop.
async fn publish(shared: Arc<Shared>, rate: f64) {
    let period = Duration::from_secs_f64(1.0 / rate.min(MAX_RATE));
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = ticks.tick() => {
                shared.publish(1);
            }
        }
    }
}
