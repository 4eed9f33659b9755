//! Forgets events that are older than the log is kept, and pollers that do not come any more.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::events::{ForgettingFailed, Forgotten};
use super::hub::Hub;
use crate::runtime::clock::SharedClock;
use crate::runtime::supervisor::TaskResult;
use crate::store::{self, Error, Store, feed, killfeed_clients};

/// Pause before the first round: a service that is restarted often has to forget as well.
const FIRST: Duration = Duration::from_mins(1);

/// Pause between two rounds. Every process tries; the second one finds nothing.
const INTERVAL: Duration = Duration::from_hours(1);

/// Events deleted in one transaction: a fraction of a second, so that appends hardly wait.
const BATCH: i64 = 5_000;

/// Pollers deleted in one statement: each takes its offsets along, which may be thousands.
const CLIENT_BATCH: i64 = 100;

/// Prunes the log and the pollers hourly.
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
                biased;
                () = token.cancelled() => return Ok(()),
                () = self.clock.sleep(pause) => {}
            }
            pause = INTERVAL;
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = self.round() => {}
            }
        }
    }

    /// One failure does not keep the other from its turn.
    async fn round(&self) {
        report("old events of the feed", self.forget_events().await);
        report("pollers that stopped asking", self.forget_clients().await);
    }

    /// Deletes everything too old and takes note of the new floor. Returns how many events went.
    async fn forget_events(&self) -> store::Result<u64> {
        let before = self.ago(self.kept);
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

    /// Deletes pollers that have not asked for [`killfeed_clients::DAYS_REMEMBERED`]. Returns how many went.
    async fn forget_clients(&self) -> store::Result<u64> {
        let before = self.ago(TimeDelta::days(killfeed_clients::DAYS_REMEMBERED));
        let mut clients = 0;
        loop {
            let deleted = killfeed_clients::prune(&self.store.pool, before, CLIENT_BATCH).await?;
            if deleted == 0 {
                return Ok(clients);
            }
            clients += deleted;
        }
    }

    /// A time before the calendar begins is its beginning: nothing is that old.
    fn ago(&self, span: TimeDelta) -> DateTime<Utc> {
        self.clock
            .now()
            .checked_sub_signed(span)
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
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

fn report(what: &'static str, outcome: store::Result<u64>) {
    match outcome {
        Ok(number) => Forgotten { what, number }.emit(),
        Err(error) => ForgettingFailed {
            what,
            error: &error,
        }
        .emit(),
    }
}
