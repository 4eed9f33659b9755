use std::pin::pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{LiveDeps, Memory, envelopes, gaps};
use crate::ingest::envelope::{CursorMove, Envelope, Outcome, Payload};
use crate::ingest::pipeline::PipelineInput;
use crate::store::cursors::SourceCursor;
use crate::upstream::http::{Attempts, Retry};
use crate::upstream::zkb::redisq::{Client, new_queue_id, retry};

/// This source in storage and metrics.
pub const NAME: &str = "redisq";
/// Pauses after failed polls.
const FAILURES: Attempts = Attempts {
    more: usize::MAX,
    first_pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(30),
};
/// How long a stop waits for the poll that is under way, and for the commit of what it brought.
const HAND_ON: Duration = Duration::from_secs(5);
/// Key of the queue's name in the cursor's detail.
const QUEUE: &str = "queue_id";

/// Follows a RedisQ queue: polls, hands on, waits for the commit, polls again. End: when `stop` is cancelled
/// or the pipeline is gone.
pub(super) async fn follow(
    deps: &LiveDeps,
    memory: &mut Memory,
    input: PipelineInput,
    cursor: Option<SourceCursor>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let saved = cursor.and_then(|cursor| {
        let name = cursor.detail.get(QUEUE)?.as_str()?;
        Some(name.to_owned())
    });
    let queue_id = saved.unwrap_or_else(new_queue_id);
    let introduced = Envelope {
        cursor: Some(CursorMove {
            position: 0,
            detail: Some(serde_json::json!({ QUEUE: queue_id })),
            rewind: false,
        }),
        ..envelopes::bare(NAME, "queue".to_owned(), Payload::Empty, deps.clock.now())
    };
    if input.send(introduced).await.is_err() {
        return Ok(());
    }
    let client = Client::new(deps.http.clone(), deps.live.redisq_url.clone(), queue_id);
    let ended = {
        let mut polling = pin!(poll(deps, memory, &client, &input, stop));
        tokio::select! {
            () = stop.cancelled() => {}
            () = &mut polling => return Ok(()),
        }
        // The server forgets what it hands out, so that a poll under way is not cut off, and what it brought is handed
        // on before the end.
        tokio::time::timeout(HAND_ON, polling).await
    };
    if ended.is_err() && !memory.uncommitted.is_empty() {
        tracing::warn!(
            killmails = memory.uncommitted.len(),
            "RedisQ handed these out, and they could not be committed in time"
        );
    }
    Ok(())
}

/// Ends when the pipeline is gone, or when `stop` is cancelled and nothing is under way.
async fn poll(
    deps: &LiveDeps,
    memory: &mut Memory,
    client: &Client,
    input: &PipelineInput,
    stop: &CancellationToken,
) {
    let mut pauses = FAILURES.pauses();
    loop {
        if !commit(deps, memory, input).await || stop.is_cancelled() {
            return;
        }
        retry_gap(deps, input).await;
        match client.poll().await {
            Ok(packages) => {
                memory.uncommitted = packages;
                pauses = FAILURES.pauses();
                deps.standing.answered(deps.clock.now(), None);
            }
            Err(error) => {
                tracing::warn!(error = %error, "the RedisQ poll failed");
                let usual = pauses.next().unwrap_or(FAILURES.longest_pause);
                let now = deps.clock.now();
                let mut banned_until = None;
                let pause = match retry(&error) {
                    Retry::RateLimited(Some(asked)) => asked.max(usual),
                    Retry::Banned(pause) => {
                        banned_until = Some(now + pause);
                        pause
                    }
                    Retry::RateLimited(None) | Retry::Transient | Retry::Permanent => usual,
                };
                deps.standing.answered(now, banned_until);
                stop.run_until_cancelled(deps.clock.sleep(pause)).await;
            }
        }
    }
}

/// Hands on what the last poll brought and waits for its commit; false when the pipeline is gone before.
async fn commit(deps: &LiveDeps, memory: &mut Memory, input: &PipelineInput) -> bool {
    let mut commits: Vec<oneshot::Receiver<Outcome>> = Vec::new();
    for bytes in &memory.uncommitted {
        let (done, committed) = oneshot::channel();
        let origin = "queue".to_owned();
        let payload = envelopes::raw(bytes.clone());
        let envelope = Envelope {
            done: Some(done),
            ..envelopes::bare(NAME, origin, payload, deps.clock.now())
        };
        if input.send(envelope).await.is_err() {
            return false;
        }
        commits.push(committed);
    }
    for committed in commits {
        if committed.await.is_err() {
            return false;
        }
    }
    memory.uncommitted.clear();
    true
}

/// Tries one killmail again whose body could not be had.
async fn retry_gap(deps: &LiveDeps, input: &PipelineInput) {
    let now = deps.clock.now();
    let Some(gap) = gaps::take(&deps.store, NAME, now, |pause| pause).await else {
        return;
    };
    if !gaps::step(&deps.store, &gap, now, |pause| pause).await {
        return;
    }
    let Some(bytes) = gaps::kept(&gap) else {
        return;
    };
    let origin = format!("killmail {}", gap.position);
    let envelope = Envelope {
        closes_gap: Some(gap.position),
        ..envelopes::bare(NAME, origin, envelopes::raw(bytes), now)
    };
    if input.send(envelope).await.is_err() {
        tracing::debug!("the pipeline is gone; the killmail stays on its ladder");
    }
}
