use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{IDLE, PreloaderDeps, Wanted, events, look, round};
use crate::store::history_wishes;
use crate::store::leader::{Duty, Leadership};
use crate::store::subscriptions;

/// What configuration and subscriptions want is looked through at least this often: spans move with the day.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// The same after there was no room for all of it.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// One term as the preloader: from the lock to its loss. `Ok` once `token` is cancelled.
pub(super) async fn serve(deps: &PreloaderDeps, token: &CancellationToken) -> anyhow::Result<()> {
    events::OnDuty(false).emit();
    let waiting = Leadership::acquire(&deps.store, Duty::Preload);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the preloader's lock")?;
    events::OnDuty(true).emit();
    let ended = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        error = leadership.lost() => Err(anyhow::Error::new(error).context("the preloader's lock is lost")),
        Err(error) = work(deps) => Err(error),
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the preloader's lock was gone already");
    }
    events::OnDuty(false).emit();
    ended
}

/// Reads page after page; between them, now and then, looks what is wanted.
async fn work(deps: &PreloaderDeps) -> anyhow::Result<Infallible> {
    let mut subscribed = None;
    let mut look_at = Duration::ZERO;
    history_wishes::prune(&deps.store.pool, deps.clock.now()).await?;
    loop {
        let fingerprint = subscriptions::fingerprint(&deps.store.pool).await?;
        let now = deps.clock.monotonic();
        if subscribed != Some(fingerprint) || now >= look_at {
            let Wanted { cut_off, .. } = look(deps).await?;
            subscribed = Some(fingerprint);
            look_at = now + if cut_off { LOOK_AGAIN } else { LOOK_EVERY };
        }
        if !round(deps).await? {
            // The machine's timer: the pause is about the database.
            tokio::time::sleep(IDLE).await;
        }
    }
}
