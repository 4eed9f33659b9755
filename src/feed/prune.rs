//! Forgets events that are older than the log is kept.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use crate::runtime::clock::SharedClock;
use crate::runtime::supervisor::TaskResult;
use crate::store::{self, Error, Store, feed};

/// Pause before the first round: a service that is restarted often has to forget as well.
const FIRST: Duration = Duration::from_mins(1);

/// Pause between two rounds. Every process tries; the second one finds nothing.
const INTERVAL: Duration = Duration::from_hours(1);

/// Events deleted in one transaction: a fraction of a second, so that appends hardly wait.
const BATCH: i64 = 5_000;

/// Prunes the log hourly.
pub(super) struct Keeper {
    hub: Arc<Hub>,
    store: Store,
    clock: SharedClock,
    kept: TimeDelta,
}

impl Keeper {
    /// A keeper of a log that is kept for `days`, at least one.
    pub(super) fn new(hub: Arc<Hub>, store: Store, clock: SharedClock, days: u32) -> Self {
        Self {
            hub,
            store,
            clock,
            kept: TimeDelta::days(i64::from(days.max(1))),
        }
    }

    /// Runs until the token is cancelled; a round that fails is made up for by the next.
    pub(super) async fn run(self, token: CancellationToken) -> TaskResult {
        let mut pause = FIRST;
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
            pause = INTERVAL;
            let outcome = tokio::select! {
                () = token.cancelled() => return Ok(()),
                outcome = self.round() => outcome,
            };
            report(outcome);
        }
    }

    /// Deletes everything too old and takes note of the new floor. Returns how many events went.
    async fn round(&self) -> store::Result<u64> {
        // A time before the calendar begins: nothing is that old.
        let before = self
            .clock
            .now()
            .checked_sub_signed(self.kept)
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        let mut events = 0;
        loop {
            let deleted = self.batch(before).await?;
            if deleted == 0 {
                break;
            }
            events += deleted;
        }
        let bounds = feed::bounds(&self.store.pool).await?;
        self.hub.set_floor(bounds.floor);
        Ok(events)
    }

    async fn batch(&self, before: DateTime<Utc>) -> store::Result<u64> {
        let failed = |operation| move |source| Error::Query { operation, source };
        let mut transaction = self
            .store
            .pool
            .begin()
            .await
            .map_err(failed("beginning to prune the feed"))?;
        let deleted = feed::prune(&mut transaction, before, BATCH).await?;
        transaction
            .commit()
            .await
            .map_err(failed("committing a pruned feed"))?;
        Ok(deleted)
    }
}

fn report(outcome: store::Result<u64>) {
    match outcome {
        Ok(0) => {}
        Ok(events) => tracing::info!(events, "forgot old events of the feed"),
        Err(error) => tracing::warn!(
            error = &error as &(dyn std::error::Error + 'static),
            "pruning the feed failed; trying again in an hour"
        ),
    }
}
