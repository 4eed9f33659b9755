use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{UpkeepDeps, completer, events, values};
use crate::ingest::reference_data;
use crate::store::leader::{Duty, Leadership};

/// Between two tries to become the upkeeper; nothing is lost meanwhile.
const CANDIDATE_PAUSE: Duration = Duration::from_secs(2);
/// Between two looks whether it still is the upkeeper.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// One term as the upkeeper: from the lock to its loss. `Ok` once `token` is cancelled.
pub(super) async fn serve(deps: &UpkeepDeps, token: &CancellationToken) -> anyhow::Result<()> {
    events::OnDuty(false).emit();
    let Some(mut leadership) = candidate(deps, token).await? else {
        return Ok(());
    };
    events::OnDuty(true).emit();
    let ended = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        error = watch(&mut leadership) => Err(error),
        Err(error) = work(deps, token) => Err(error),
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the upkeeper's lock was gone already");
    }
    events::OnDuty(false).emit();
    ended
}

/// Waits for the upkeeper's lock; `None` when asked to stop before.
async fn candidate(
    deps: &UpkeepDeps,
    token: &CancellationToken,
) -> anyhow::Result<Option<Leadership>> {
    loop {
        let tried = tokio::select! {
            () = token.cancelled() => return Ok(None),
            tried = Leadership::try_acquire(&deps.store, Duty::Upkeep) => tried,
        };
        if let Some(leadership) = tried.context("asking for the upkeeper's lock")? {
            return Ok(Some(leadership));
        }
        // The machine's timer here and below: the lock belongs to the database's time.
        tokio::select! {
            () = token.cancelled() => return Ok(None),
            () = tokio::time::sleep(CANDIDATE_PAUSE) => {}
        }
    }
}

/// Everything side by side, until one fails.
async fn work(deps: &UpkeepDeps, token: &CancellationToken) -> anyhow::Result<Infallible> {
    let fresh = async {
        match &deps.reference_data {
            Some(reference) => {
                reference_data::keep_fresh(reference.clone(), token.child_token()).await;
            }
            None => token.cancelled().await,
        }
        std::future::pending::<anyhow::Result<Infallible>>().await
    };
    let values = async {
        match &deps.zkb {
            Some(zkb) => values::run(deps, zkb).await,
            None => std::future::pending().await,
        }
    };
    let (ended, _, _) = tokio::try_join!(completer::run(deps), values, fresh)?;
    Ok(ended)
}

/// Ends when the lock is lost.
async fn watch(leadership: &mut Leadership) -> anyhow::Error {
    loop {
        tokio::time::sleep(WATCH_PAUSE).await;
        if let Err(error) = leadership.check().await {
            return anyhow::Error::new(error).context("the upkeeper's lock is lost");
        }
    }
}
