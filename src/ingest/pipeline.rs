//! Wires the stages: source → processor → enricher → committer, with bounded channels between them.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::committer::Committer;
use super::enricher::Enricher;
use super::envelope::Envelope;
use super::error::Error;
use super::processor::Processor;
use super::resolver::Resolver;
use super::transaction::Durability;
use crate::domain::{Killmail, Reference};
use crate::runtime::clock::SharedClock;
use crate::runtime::config::IngestConfig;
use crate::store::Store;

/// Fetches the body of a killmail of which a source gave only id and hash.
pub trait FetchBody: Send + Sync + std::fmt::Debug {
    /// The whole killmail (zkb block of the reference kept), or why not.
    fn fetch(&self, reference: Reference) -> BoxFuture<'static, Result<Killmail, BodyError>>;
}

/// Why a body could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// May work later: budgets, outages.
    #[error("the body can't be had now: {0}")]
    Later(String),
    /// Will not work: ESI does not know this id and hash.
    #[error("there is no such body: {0}")]
    Never(String),
}

/// The right to move a source's cursor.
#[derive(Debug, Clone, Copy)]
pub struct Fence {
    /// The source.
    pub source: &'static str,
    /// The epoch drawn when this process became its ingester.
    pub epoch: i64,
}

/// What a pipeline is made of.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Where it writes.
    pub store: Store,
    /// Limits.
    pub config: IngestConfig,
    /// Time.
    pub clock: SharedClock,
    /// Finds out what ids mean; shared with other pipelines.
    pub resolver: Resolver,
    /// Fetches missing bodies, where there is a way.
    pub bodies: Option<Arc<dyn FetchBody>>,
    /// The right to move a cursor, for live sources.
    pub fence: Option<Fence>,
}

/// Where a source puts its envelopes. Bounded: a slow database slows the source.
pub type PipelineInput = mpsc::Sender<Envelope>;

/// Envelopes that wait for the processor: enough that a source does not stop for one slow parse, few
/// enough that a full queue (some 4 kB each) is nothing.
const INPUT_QUEUE: usize = 64;

impl Pipeline {
    /// Starts the stages. They end once every [`PipelineInput`] is dropped and all is committed, or when
    /// `token` is cancelled (what is not committed by then is not lost: its cursor has not moved).
    ///
    /// ```text
    /// source ─(64)─► processor ─(batch_size)─► enricher ─(batch_size)─► committer ─► PostgreSQL
    /// ```
    ///
    /// The two inner queues hold a batch each, so that the next full one is ready when a commit ends. Each
    /// stage ends when its input closes, which closes the next one's; a stage that is gone makes the ones
    /// before it end at their next hand-over.
    ///
    /// The returned future drives them; it fails when the ingester was fenced off or a stage broke.
    /// Dropping it stops them.
    pub fn start(
        self,
        token: CancellationToken,
    ) -> (PipelineInput, BoxFuture<'static, anyhow::Result<()>>) {
        self.start_as(Durability::Full, token)
    }

    /// As [`Pipeline::start`], for history that is read again unless its source is marked as done after its last
    /// commit: commits that announce nothing do not wait for the disk.
    pub fn start_for_history(
        self,
        token: CancellationToken,
    ) -> (PipelineInput, BoxFuture<'static, anyhow::Result<()>>) {
        self.start_as(Durability::UnlessAnnounced, token)
    }

    fn start_as(
        self,
        durability: Durability,
        token: CancellationToken,
    ) -> (PipelineInput, BoxFuture<'static, anyhow::Result<()>>) {
        let (sender, receiver) = mpsc::channel(INPUT_QUEUE);
        (sender, Box::pin(self.drive(receiver, durability, token)))
    }

    async fn drive(
        self,
        input: mpsc::Receiver<Envelope>,
        durability: Durability,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut stages = self.stages(input, durability);
        let ended = loop {
            tokio::select! {
                biased;
                () = token.cancelled() => break Ok(()),
                ended = stages.join_next() => match ended {
                    None => break Ok(()),
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(error))) => break Err(error),
                    Some(Err(source)) => break Err(Error::Broken { source }),
                },
            }
        };
        // Whoever waits for this future may give the ingester's lock up next: nothing may still commit.
        stages.shutdown().await;
        Ok(ended?)
    }

    /// One task a stage, aborted together when the set is dropped.
    fn stages(
        self,
        input: mpsc::Receiver<Envelope>,
        durability: Durability,
    ) -> JoinSet<Result<(), Error>> {
        let batch_size = self.config.batch_size;
        let (processed, to_enrich) = mpsc::channel(batch_size.get());
        let (ready, to_commit) = mpsc::channel(batch_size.get());
        let processor = Processor {
            bodies: self.bodies,
            clock: Arc::clone(&self.clock),
            retention: self.config.retention,
        };
        let enricher = Enricher {
            resolver: self.resolver,
            config: self.config.clone(),
            clock: Arc::clone(&self.clock),
        };
        let committer =
            Committer::new(self.store, self.config, self.clock, self.fence).durable(durability);
        let mut stages = JoinSet::new();
        stages.spawn(async move {
            processor.run(input, processed).await;
            Ok(())
        });
        stages.spawn(async move {
            enricher.run(to_enrich, ready).await;
            Ok(())
        });
        stages.spawn(committer.run(to_commit));
        stages
    }
}
