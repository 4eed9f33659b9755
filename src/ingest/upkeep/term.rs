use std::convert::Infallible;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{UpkeepDeps, completer, events, values};
use crate::ingest::reference_data;
use crate::store::leader::{Duty, Leadership};

/// One term as the upkeeper: from the lock to its loss. `Ok` once `token` is cancelled.
pub(super) async fn serve(deps: &UpkeepDeps, token: &CancellationToken) -> anyhow::Result<()> {
    events::OnDuty(false).emit();
    let waiting = Leadership::acquire(&deps.store, Duty::Upkeep);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the upkeeper's lock")?;
    events::OnDuty(true).emit();
    let ended = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        error = leadership.lost() => Err(anyhow::Error::new(error).context("the upkeeper's lock is lost")),
        Err(error) = work(deps, token) => Err(error),
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the upkeeper's lock was gone already");
    }
    events::OnDuty(false).emit();
    ended
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
