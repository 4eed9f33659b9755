//! Killmails to measure with: the simulator's, whose shape comes near the real stream's.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wanderer_kills::domain::Killmail;
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::ingest::{Announce, Envelope, Outcome, Payload, Pipeline, PipelineInput};
use wanderer_kills::runtime::clock::{SharedClock, SystemClock};
use wanderer_kills::runtime::config::{BackfillConfig, IngestConfig};
use wanderer_kills::simulator::{Generator, Habits};
use wanderer_kills::store::Store;

/// Killmails of one transaction, as the service has it by default.
const BATCH_SIZE: usize = 500;

/// `number` killmails with growing ids from `first_id` on, one every five seconds until `until`.
pub(crate) fn killmails(first_id: i64, number: usize, until: DateTime<Utc>) -> Vec<Killmail> {
    let mut generator = Generator::with(1, first_id, Habits::NONE);
    let seconds = i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(5);
    let mut time = until - TimeDelta::seconds(seconds);
    let mut made = Vec::with_capacity(number);
    for _ in 0..number {
        made.push(generator.at(time));
        time += TimeDelta::seconds(5);
    }
    made
}

/// An envelope as a library's caller would send it.
pub(crate) fn envelope(killmail: Killmail, clock: &SharedClock, announce: Announce) -> Envelope {
    Envelope {
        source: "figures",
        origin: killmail.killmail_id.to_string(),
        payload: Payload::Killmail(Box::new(killmail)),
        received_at: clock.now(),
        announce,
        cursor: None,
        gaps: Vec::new(),
        closes_gap: None,
        done: None,
    }
}

fn pipeline(store: &Store, resolver: Resolver, batch_size: usize) -> anyhow::Result<Pipeline> {
    Ok(Pipeline {
        store: store.clone(),
        config: IngestConfig {
            batch_size: batch_size.try_into()?,
            ..IngestConfig::default()
        },
        clock: SystemClock::shared(),
        resolver,
        bodies: None,
        fence: None,
    })
}

/// A pipeline at work.
pub(crate) struct Running {
    pub(crate) input: PipelineInput,
    pub(crate) clock: SharedClock,
    driver: AbortOnDropHandle<anyhow::Result<()>>,
}

impl Running {
    pub(crate) fn start(store: &Store) -> anyhow::Result<Self> {
        let resolver = Resolver::local(store.clone(), SystemClock::shared());
        Self::start_with(store, resolver)
    }

    pub(crate) fn start_with(store: &Store, resolver: Resolver) -> anyhow::Result<Self> {
        let pipeline = pipeline(store, resolver, BATCH_SIZE)?;
        let clock = pipeline.clock.clone();
        let (input, driver) = pipeline.start(CancellationToken::new());
        Ok(Self::driven(input, clock, driver))
    }

    /// As a backfill does it.
    pub(crate) fn start_for_history(store: &Store) -> anyhow::Result<Self> {
        let resolver = Resolver::local(store.clone(), SystemClock::shared());
        let batch_size = BackfillConfig::default().backfill_batch_size.get();
        let pipeline = pipeline(store, resolver, batch_size)?;
        let clock = pipeline.clock.clone();
        let (input, driver) = pipeline.start_for_history(CancellationToken::new());
        Ok(Self::driven(input, clock, driver))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this program is the pipeline's supervisor"
    )]
    fn driven(
        input: PipelineInput,
        clock: SharedClock,
        driver: BoxFuture<'static, anyhow::Result<()>>,
    ) -> Self {
        Self {
            input,
            clock,
            driver: AbortOnDropHandle::new(tokio::spawn(driver)),
        }
    }

    /// Hands one in; the outcome comes with its commit.
    pub(crate) async fn send(
        &self,
        killmail: Killmail,
    ) -> anyhow::Result<oneshot::Receiver<Outcome>> {
        let (done, outcome) = oneshot::channel();
        let mut envelope = envelope(killmail, &self.clock, Announce::Always);
        envelope.done = Some(done);
        self.input.send(envelope).await?;
        Ok(outcome)
    }

    /// Hands all in and waits until they are committed.
    pub(crate) async fn send_all(self, killmails: Vec<Killmail>) -> anyhow::Result<()> {
        for killmail in killmails {
            let envelope = envelope(killmail, &self.clock, Announce::Always);
            self.input.send(envelope).await?;
        }
        self.end().await
    }

    /// Waits until everything is committed.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        drop(self.input);
        self.driver.await?
    }
}
