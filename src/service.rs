//! The composition root: a [`Config`] becomes wired tasks.
//!
//! `build` opens the database (starting the embedded one where no URL is given), migrates it, and starts
//! the feed's tail and a pipeline for killmails that come from the host program. `run` adds the live source
//! and the HTTP server, and returns when everything has stopped. Nothing here installs a subscriber, a
//! signal handler or a panic hook: that is the program's, so a host that embeds the service is not surprised.

mod database;
mod duties;
mod handle;
mod http;
mod probes;
mod replica;
mod sampler;
mod upstreams;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use database::Database;
pub use handle::{Handle, HandleError};
use sampler::Sampler;
use upstreams::Upstreams;

use crate::feed::Feed;
use crate::feed::webhooks::{self, WebhookDeps};
use crate::ingest::live::{self, LiveDeps, Standing};
use crate::ingest::preloader::{self, PreloaderDeps};
use crate::ingest::upkeep::{self, UpkeepDeps};
use crate::ingest::{Pipeline, PipelineInput};
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::{Config, LiveSource};
use crate::runtime::supervisor::Supervisor;
use crate::store::Store;
use crate::upstream::zkb::rest::ZkbRest;

/// A service that is wired and has its database, feed and pipeline running.
#[derive(Debug)]
pub struct Service {
    config: Config,
    clock: SharedClock,
    supervisor: Supervisor,
    database: Database,
    feed: Feed,
    input: PipelineInput,
    upstreams: Upstreams,
    standing: Standing,
}

impl Service {
    /// Opens and migrates the database, and starts the feed and the host's pipeline.
    ///
    /// # Errors
    /// When the configuration contradicts itself, the database can't be opened, or a migration fails.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        Self::build_with_clock(config, SystemClock::shared()).await
    }

    /// As [`Service::build`], with time from elsewhere.
    ///
    /// # Errors
    /// As [`Service::build`].
    pub async fn build_with_clock(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        let database = Database::open(&config.database).await?;
        Self::build_on(database, config, clock).await
    }

    /// As [`Service::build`], on a database that is open already.
    ///
    /// # Errors
    /// As [`Service::build`].
    pub async fn build_on(
        database: Database,
        config: Config,
        clock: SharedClock,
    ) -> anyhow::Result<Self> {
        let supervisor = Supervisor::new();
        let feed = Feed::start(
            database.store.clone(),
            config.feed.clone(),
            Arc::clone(&clock),
            &supervisor,
        )
        .await
        .context("starting the feed")?;
        let upstreams = Upstreams::new(&config, &database.store, &clock, &supervisor)?;
        let pipeline = Pipeline {
            store: database.store.clone(),
            config: config.ingest.clone(),
            clock: Arc::clone(&clock),
            resolver: upstreams.resolver.clone(),
            bodies: Some(Arc::clone(&upstreams.bodies)),
            fence: None,
        };
        let (input, driver) = pipeline.start(supervisor.token());
        supervisor.spawn("host pipeline", driver);
        Ok(Self {
            config,
            clock,
            supervisor,
            database,
            feed,
            input,
            upstreams,
            standing: Standing::default(),
        })
    }

    /// The in-process interface. Clones share the service.
    pub fn handle(&self) -> Handle {
        Handle::new(
            self.feed.clone(),
            self.database.store.clone(),
            self.input.clone(),
            Arc::clone(&self.clock),
        )
    }

    /// The open database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Serves until `shutdown` is cancelled, then drains. `listening` is told the bound address.
    ///
    /// # Errors
    /// When the address can't be bound, or a task of the service died.
    pub async fn run(
        self,
        shutdown: CancellationToken,
        listening: impl FnOnce(SocketAddr) + Send,
    ) -> anyhow::Result<()> {
        let address = self.config.api.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address}"))?;
        self.start_replica();
        self.start_http(listener, listening)?;
        self.start_live();
        self.start_upkeep();
        self.start_preloader();
        self.start_webhooks()?;
        self.start_duties();
        self.start_sampler();
        // A task that died cancels the supervisor's token; `stop` then says which.
        let died = self.supervisor.token();
        futures::future::select(pin!(shutdown.cancelled()), pin!(died.cancelled())).await;
        tracing::info!("draining");
        self.stop().await
    }

    /// Stops everything that [`Service::build`] started, for hosts that never call [`Service::run`].
    ///
    /// # Errors
    /// When a task had died, or the database does not stop.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.supervisor.shut_down();
        drop(self.input);
        let drained = self.supervisor.join().await;
        let stopped = self.database.close().await;
        drained?;
        stopped
    }

    fn start_replica(&self) {
        let reads = self.database.store.reads.clone();
        if reads.has_replica() {
            let watching = replica::watch(
                reads,
                self.feed.clone(),
                Arc::clone(&self.clock),
                self.config.database.replica_lag(),
                self.supervisor.token(),
            );
            self.supervisor.spawn("replica", watching);
        }
    }

    fn start_live(&self) {
        if self.config.live.live_source == LiveSource::None {
            tracing::info!("no live source: serving what is stored");
            return;
        }
        let deps = LiveDeps {
            store: self.database.store.clone(),
            clock: Arc::clone(&self.clock),
            live: self.config.live.clone(),
            ingest: self.config.ingest.clone(),
            http: self.upstreams.http.clone(),
            resolver: self.upstreams.resolver.clone(),
            bodies: Some(Arc::clone(&self.upstreams.bodies)),
            standing: self.standing.clone(),
        };
        self.supervisor
            .spawn("live source", live::run(deps, self.supervisor.token()));
    }

    fn start_upkeep(&self) {
        let deps = UpkeepDeps {
            store: self.database.store.clone(),
            clock: Arc::clone(&self.clock),
            resolver: self.upstreams.resolver.clone(),
            zkb: (self.config.ingest.values_days > 0)
                .then(|| self.upstreams.zkb.clone())
                .flatten(),
            input: self.input.clone(),
            ingest: self.config.ingest.clone(),
            reference_data: self.upstreams.reference_data.clone(),
        };
        self.supervisor
            .spawn("upkeep", upkeep::run(deps, self.supervisor.token()));
    }

    /// Whom to ask for the past; `None` where nobody may be asked, or nothing is to be followed.
    fn preloading(&self) -> Option<&ZkbRest> {
        let follows = self.config.live.live_source != LiveSource::None;
        self.upstreams.zkb.as_ref().filter(|_| follows)
    }

    fn start_preloader(&self) {
        let Some(zkb) = self.preloading() else {
            tracing::info!("nobody is asked for the past: that needs a live source and WK_CONTACT");
            return;
        };
        let deps = PreloaderDeps {
            store: self.database.store.clone(),
            clock: Arc::clone(&self.clock),
            zkb: zkb.clone(),
            input: self.input.clone(),
            preload: self.config.preload.clone(),
        };
        self.supervisor
            .spawn("preloader", preloader::run(deps, self.supervisor.token()));
    }

    fn start_webhooks(&self) -> anyhow::Result<()> {
        let deps = WebhookDeps::new(
            self.database.store.clone(),
            self.feed.clone(),
            Arc::clone(&self.clock),
            &self.config.api.webhook_allow,
            &upstreams::http_settings(&self.config.upstream),
        )
        .context("preparing the client of webhooks")?;
        self.supervisor
            .spawn("webhooks", webhooks::run(deps, self.supervisor.token()));
        Ok(())
    }

    fn start_sampler(&self) {
        let sampler = Sampler {
            store: self.database.store.clone(),
            clock: Arc::clone(&self.clock),
            data_dir: self.database.data_dir().map(Path::to_path_buf),
        };
        self.supervisor
            .spawn("sampler", sampler.run(self.supervisor.token()));
    }

    /// The store, for commands that work beside the service.
    pub fn store(&self) -> &Store {
        &self.database.store
    }
}
