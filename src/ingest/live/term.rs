use std::time::Duration;

use anyhow::{Context, bail};
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{LiveDeps, Memory, events, r2z2, redisq};
use crate::ingest::pipeline::{Fence, Pipeline, PipelineInput};
use crate::runtime::config::LiveSource;
use crate::store::cursors::{self, SourceCursor};
use crate::store::leader::{Duty, Leadership};

/// How long the pipeline may go on committing after the source has stopped.
const DRAIN: Duration = Duration::from_secs(10);

/// One term as the ingester: from the lock to its loss. `Ok` once `token` is cancelled.
pub(super) async fn serve(
    deps: &LiveDeps,
    memory: &mut Memory,
    token: &CancellationToken,
) -> anyhow::Result<()> {
    let source = source_of(deps);
    events::StandingBy { source }.emit();
    let waiting = Leadership::acquire(&deps.store, Duty::Ingest);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the ingester's lock")?;
    let ended = lead(deps, memory, token, &mut leadership).await;
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the ingester's lock was gone already");
    }
    events::StandingBy { source }.emit();
    ended
}

fn source_of(deps: &LiveDeps) -> &'static str {
    match deps.live.live_source {
        LiveSource::Redisq => redisq::NAME,
        LiveSource::R2z2 | LiveSource::None => r2z2::NAME,
    }
}

async fn lead(
    deps: &LiveDeps,
    memory: &mut Memory,
    token: &CancellationToken,
    leadership: &mut Leadership,
) -> anyhow::Result<()> {
    let source = source_of(deps);
    let epoch = cursors::take_over(&deps.store.pool, source)
        .await
        .context("taking the source over")?;
    let cursor = cursors::load(&deps.store.pool, source)
        .await
        .context("reading the source's position")?;
    events::TermBegun { source, epoch }.emit();
    let _following = deps.standing.follow(deps.clock.now());
    // Not a child of `token`: a stop drains the pipeline instead of cutting it off.
    let abort = CancellationToken::new();
    let (input, mut pipeline) = Pipeline {
        store: deps.store.clone(),
        config: deps.ingest.clone(),
        clock: deps.clock.clone(),
        resolver: deps.resolver.clone(),
        bodies: deps.bodies.clone(),
        fence: Some(Fence { source, epoch }),
    }
    .start(abort.clone());
    let stop = token.child_token();
    let mut following = Box::pin(follow(deps, memory, input, cursor, &stop));
    let ended = tokio::select! {
        biased;
        ended = &mut pipeline => ended.and_then(|()| bail!("the pipeline ended unasked")),
        error = leadership.lost() => {
            abort.cancel();
            // Nothing may still commit when the lock goes to another process.
            pipeline.await.ok();
            Err(anyhow::Error::new(error).context("the ingester's lock is lost"))
        }
        ended = &mut following => {
            return match (drain(&mut pipeline, &abort).await, ended) {
                (Err(error), _) | (Ok(()), Err(error)) => Err(error),
                (Ok(()), Ok(())) if token.is_cancelled() => Ok(()),
                (Ok(()), Ok(())) => bail!("the source ended unasked"),
            };
        }
    };
    // What a server hands out and forgets is kept for the next term, so that a request under way is not cut off.
    stop.cancel();
    following.await.ok();
    ended
}

async fn follow(
    deps: &LiveDeps,
    memory: &mut Memory,
    input: PipelineInput,
    cursor: Option<SourceCursor>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if deps.live.live_source == LiveSource::Redisq {
        redisq::follow(deps, memory, input, cursor, stop).await
    } else {
        r2z2::follow(deps, memory, input, cursor, stop).await
    }
}

/// Lets the pipeline commit what it has; its input is dropped by now.
async fn drain(
    pipeline: &mut BoxFuture<'static, anyhow::Result<()>>,
    abort: &CancellationToken,
) -> anyhow::Result<()> {
    if let Ok(ended) = tokio::time::timeout(DRAIN, &mut *pipeline).await {
        return ended;
    }
    tracing::warn!(
        "the pipeline did not finish in time; what was not committed will be asked for again"
    );
    abort.cancel();
    pipeline.await
}
