//! One term as the process that delivers: from the lock to its loss.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::worker::Worker;
use super::{WebhookDeps, events, requests};
use crate::store::leader::{Duty, Leadership};
use crate::store::{self, subscriptions, webhook_deliveries};

/// Beyond a message's own time-out, for the answer to be written down at the end.
const DRAIN: Duration = Duration::from_secs(2);
/// Queued messages taken at one look.
const QUEUED: i64 = 32;
/// Between two rounds of forgetting, and how much one statement forgets.
const FORGET_PAUSE: Duration = Duration::from_mins(10);
const FORGET_BATCH: i64 = 5_000;

/// Serves until the lock is lost (an error) or `token` is cancelled.
pub(super) async fn serve(deps: &WebhookDeps, token: &CancellationToken) -> anyhow::Result<()> {
    events::OnDuty(false).emit();
    let waiting = Leadership::acquire(&deps.store, Duty::Webhooks);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the lock of webhook deliveries")?;
    events::OnDuty(true).emit();
    let mut manager = Manager::new(deps, token);
    let ended = tokio::select! {
        biased;
        error = leadership.lost() => {
            Err(anyhow::Error::new(error).context("the lock of webhook deliveries is lost"))
        }
        ended = manager.run() => ended,
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the lock of webhook deliveries was gone already");
    }
    events::OnDuty(false).emit();
    ended
}

/// What ended.
enum Ended {
    Worker(String),
    Queued(i64),
}

/// Keeps one worker for each active subscription, and serves what is queued.
struct Manager<'d> {
    deps: &'d WebhookDeps,
    token: &'d CancellationToken,
    tasks: FuturesUnordered<BoxFuture<'static, Ended>>,
    workers: HashMap<String, (DateTime<Utc>, CancellationToken)>,
    queued: HashSet<i64>,
    forgotten_at: Option<Duration>,
}

impl<'d> Manager<'d> {
    fn new(deps: &'d WebhookDeps, token: &'d CancellationToken) -> Self {
        Self {
            deps,
            token,
            tasks: FuturesUnordered::new(),
            workers: HashMap::new(),
            queued: HashSet::new(),
            forgotten_at: None,
        }
    }

    /// Ends with the token, once messages under way are answered or timed out.
    async fn run(&mut self) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(self.deps.settings.look);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.token.cancelled() => break,
                Some(ended) = self.tasks.next() => self.ended(&ended),
                _ = ticks.tick() => self.look().await.context("looking at subscriptions")?,
            }
        }
        let patience = self.deps.settings.timeout.saturating_add(DRAIN);
        let all = async { while self.tasks.next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::debug!("messages under way were given up; they are sent again");
        }
        Ok(())
    }

    fn ended(&mut self, ended: &Ended) {
        match ended {
            Ended::Worker(id) => drop(self.workers.remove(id)),
            Ended::Queued(id) => {
                self.queued.remove(id);
            }
        }
    }

    /// Brings the workers in line with what the database says.
    async fn look(&mut self) -> store::Result<()> {
        let pool = &self.deps.store.pool;
        let active: HashMap<_, _> = subscriptions::active(pool).await?.into_iter().collect();
        for (id, (version, token)) in &self.workers {
            if active.get(id) != Some(version) {
                token.cancel();
            }
        }
        for (id, version) in active {
            if !self.workers.contains_key(&id) {
                self.start(id, version);
            }
        }
        for queued in webhook_deliveries::queued(pool, QUEUED).await? {
            if self.queued.insert(queued.delivery_id) {
                let deps = self.deps.clone();
                self.tasks.push(Box::pin(async move {
                    let served = requests::serve(&deps, &queued).await;
                    report(&queued.subscription_id, served);
                    Ended::Queued(queued.delivery_id)
                }));
            }
        }
        self.deps.forget_turns();
        self.forget().await
    }

    fn start(&mut self, id: String, version: DateTime<Utc>) {
        let token = self.token.child_token();
        let worker = Worker::new(self.deps.clone(), id.clone());
        self.workers.insert(id.clone(), (version, token.clone()));
        self.tasks.push(Box::pin(async move {
            report(&id, worker.run(token).await);
            Ended::Worker(id)
        }));
    }

    /// Forgets old entries of the journal now and then.
    async fn forget(&mut self) -> store::Result<()> {
        let now = self.deps.clock.monotonic();
        let due = self
            .forgotten_at
            .is_none_or(|at| now.saturating_sub(at) >= FORGET_PAUSE);
        if !due {
            return Ok(());
        }
        self.forgotten_at = Some(now);
        let before = self.deps.clock.now() - TimeDelta::days(webhook_deliveries::DAYS_KEPT);
        webhook_deliveries::prune(&self.deps.store.pool, before, FORGET_BATCH).await?;
        Ok(())
    }
}

fn report(subscription_id: &str, outcome: store::Result<()>) {
    if let Err(error) = outcome {
        events::WorkerFailed {
            subscription_id,
            error: &error,
        }
        .emit();
    }
}
