//! Statistics of days whose killmails changed: one process of all on a database makes them anew.
//!
//! A day is made once nothing has been added to it for [`QUIET`], or once it has waited for [`PATIENCE`]: the present
//! day, which never is quiet, costs a second or so every ten minutes. Until then whoever reads computes it, so nothing
//! here is ever late, only slower to read.

mod events;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use tokio_util::sync::CancellationToken;

use self::events::{DayMade, DaysMarked};
use crate::runtime::clock::SharedClock;
use crate::runtime::terms;
use crate::store::leader::{Duty, Leadership};
use crate::store::stats::{marks, rollup};
use crate::store::{self, Store};

/// A day that nothing was added to for so long is made: a backfill adds to a day for seconds.
pub const QUIET: Duration = Duration::from_secs(30);
/// A day that has waited for so long is made although it is still added to.
pub const PATIENCE: Duration = Duration::from_mins(10);
/// Between two looks for such a day.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two days: others want the database too, and there may be thousands of days.
const BREATH: Duration = Duration::from_millis(50);

/// Makes statistics until `token` is cancelled. Retry: everything, with growing pauses; what is under way at the end is
/// rolled back.
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(store: Store, clock: SharedClock, token: CancellationToken) -> anyhow::Result<()> {
    let clock_of_terms = Arc::clone(&clock);
    let state = (store, clock, token.clone());
    terms::serve("statistics", &clock_of_terms, &token, state, |state| {
        Box::pin(term(&state.0, &state.1, &state.2))
    })
    .await;
    Ok(())
}

/// One term: from the lock to its loss. `Ok` once `token` is cancelled.
async fn term(store: &Store, clock: &SharedClock, token: &CancellationToken) -> anyhow::Result<()> {
    let waiting = Leadership::acquire(store, Duty::Statistics);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the lock of statistics")?;
    let ended = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        error = leadership.lost() => Err(anyhow::Error::new(error).context("the lock of statistics is lost")),
        Err(error) = work(store, clock) => Err(error),
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the lock of statistics was gone already");
    }
    ended
}

async fn work(store: &Store, clock: &SharedClock) -> anyhow::Result<Infallible> {
    loop {
        let began = clock.monotonic();
        let made = settle(store, QUIET, PATIENCE).await?;
        if let Some(day) = made {
            let took = clock.monotonic().saturating_sub(began);
            DayMade { day, took }.emit();
        }
        DaysMarked(marks::count(&store.pool).await?).emit();
        // The machine's timer: the pause is about the database.
        tokio::time::sleep(if made.is_some() { BREATH } else { LOOK_EVERY }).await;
    }
}

/// Makes the newest day that is due. `None` where none is.
///
/// # Errors
/// When the database refuses.
pub async fn settle(
    store: &Store,
    quiet: Duration,
    patience: Duration,
) -> store::Result<Option<NaiveDate>> {
    let due = marks::due(&store.pool, quiet, patience).await?;
    if let Some(day) = due {
        rollup::make(&store.pool, day).await?;
    }
    Ok(due)
}

/// Hears how a rebuild goes.
pub trait Watch: Send + Sync {
    /// So many days are marked.
    fn marked(&self, days: u64);
    /// The statistics of a day are made.
    fn made(&self, day: NaiveDate);
}

/// Makes the statistics of every day that has killmails or statistics, beside a running service too. Returns how many
/// were made here; days that the service took over are not among them. Stopped early, it leaves the marks of the
/// other days to the service.
///
/// # Errors
/// When the database refuses.
pub async fn rebuild(
    store: &Store,
    watch: &dyn Watch,
    token: &CancellationToken,
) -> store::Result<u64> {
    let days = marks::set_all(&store.pool).await?;
    watch.marked(u64::try_from(days).unwrap_or_default());
    let mut made = 0;
    let mut before = None;
    while !token.is_cancelled() {
        // From day to day backwards, so that one that is still added to is made once.
        let Some(day) = marks::newest(&store.pool, before).await? else {
            break;
        };
        rollup::make(&store.pool, day).await?;
        watch.made(day);
        made += 1;
        before = Some(day);
    }
    Ok(made)
}
