//! A database, a simulator as ESI, and pipelines that enrich with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wanderer_kills::domain::Killmail;
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::ingest::{Announce, Envelope, Outcome, Payload, Pipeline, PipelineInput};
use wanderer_kills::runtime::clock::SharedClock;
use wanderer_kills::runtime::config::{DatabaseConfig, IngestConfig};
use wanderer_kills::simulator::{Simulator, catalog};
use wanderer_kills::store::{Store, ship_types, systems};
use wanderer_kills::upstream::esi::{EsiClient, EsiPace};
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use super::postgres::{TestDatabase, database, text};

/// As fast as a server on this machine may be asked.
pub(crate) const FAST: EsiPace = EsiPace {
    all: Duration::from_micros(100),
    names: Duration::from_millis(20),
    killmails: Duration::from_millis(1),
};

/// A migrated database that knows the types and systems of generated killmails, and nobody's name.
pub(crate) struct Tables {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
}

/// A pipeline with a resolver of its own: what a process has after its start.
pub(crate) struct Enriching {
    pub(crate) resolver: Resolver,
    pub(crate) input: PipelineInput,
    clock: SharedClock,
    token: CancellationToken,
    _tasks: [AbortOnDropHandle<anyhow::Result<()>>; 2],
}

impl Tables {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let store = Store::connect(database.url(), &DatabaseConfig::default())
            .await
            .unwrap();
        ship_types::upsert(&store.pool, &catalog::ship_types())
            .await
            .unwrap();
        systems::upsert(&store.pool, &catalog::solar_systems())
            .await
            .unwrap();
        Self { database, store }
    }

    /// The number that a query answers.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        let query = format!("SELECT ({query})::text");
        let answer = text(self.database.url(), &query).await.unwrap();
        answer.parse().unwrap()
    }
}

impl Enriching {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the supervisor of these tasks"
    )]
    pub(crate) fn start(
        tables: &Tables,
        simulator: &Simulator,
        clock: &SharedClock,
        config: IngestConfig,
    ) -> Self {
        let settings = HttpSettings {
            longest_stall: Some(Duration::from_millis(300)),
            ..HttpSettings::default()
        };
        let http = HttpClient::new(&settings, Arc::clone(clock)).unwrap();
        let esi = EsiClient::with_pace(http, simulator.esi_url(), FAST);
        let token = CancellationToken::new();
        let (resolver, worker) =
            Resolver::with_esi(tables.store.clone(), Arc::clone(clock), esi, token.clone());
        let (input, driver) = Pipeline {
            store: tables.store.clone(),
            config,
            clock: Arc::clone(clock),
            bodies: None,
            fence: None,
            resolver: resolver.clone(),
        }
        .start(token.clone());
        Self {
            resolver,
            input,
            clock: Arc::clone(clock),
            token,
            _tasks: [
                AbortOnDropHandle::new(tokio::spawn(worker)),
                AbortOnDropHandle::new(tokio::spawn(driver)),
            ],
        }
    }

    /// Hands a live killmail in; the outcome comes with its commit.
    pub(crate) async fn send(&self, killmail: Killmail) -> oneshot::Receiver<Outcome> {
        self.send_as(killmail, Announce::Always).await
    }

    /// The same for one that is announced otherwise.
    pub(crate) async fn send_as(
        &self,
        killmail: Killmail,
        announce: Announce,
    ) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        let envelope = Envelope {
            source: "test",
            origin: killmail.killmail_id.to_string(),
            payload: Payload::Killmail(Box::new(killmail)),
            received_at: self.clock.now(),
            announce,
            cursor: None,
            gaps: Vec::new(),
            closes_gap: None,
            done: Some(done),
        };
        self.input.send(envelope).await.unwrap();
        outcome
    }
}

impl Drop for Enriching {
    fn drop(&mut self) {
        self.token.cancel();
    }
}
