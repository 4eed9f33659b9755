//! Retention: killmails from before the horizon go, by one process of all on a database.
//!
//! ```text
//! become keeper ─► drop whole years ─► delete the rest in batches ─► forget what is said of it ─► pause
//!       ▲                                     │ (lock lost, database away)
//!       └──────────────── back-off ◄──────────┘
//! ```
//!
//! The horizon moves at midnight (UTC). The feed is never held up: dropping a year waits for a lock for a fifth of a
//! second at most and is tried again later, a batch takes milliseconds, and pauses are made between them. What the feed
//! still names is spared until the feed forgets it.

mod events;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::runtime::clock::SharedClock;
use crate::runtime::config::RetentionConfig;
use crate::runtime::terms;
use crate::store::leader::{Duty, Leadership};
use crate::store::retention::{self, Expiry};
use crate::store::{self, Error, Store};

/// Pause before the first round: a service that is restarted often has to forget as well.
pub const FIRST: Duration = Duration::from_secs(10);
/// Between two rounds. The horizon moves daily; a year that could not be dropped is tried again sooner.
const INTERVAL: Duration = Duration::from_hours(1);
/// Killmails deleted in one transaction: some thirty milliseconds.
const BATCH: i64 = 500;
/// Between two batches: others want the database too.
const BREATH: Duration = Duration::from_millis(50);
/// How often a round tries to drop a year, and the pause between: long reads end within that.
const DROP_TRIES: u32 = 30;
const DROP_PAUSE: Duration = Duration::from_secs(2);

/// What retention needs.
#[derive(Debug, Clone)]
pub struct RetentionDeps {
    /// Where killmails are.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// How long they are kept.
    pub retention: RetentionConfig,
    /// Pause before the first round.
    pub first: Duration,
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// Years that were dropped.
    pub years: Vec<i32>,
    /// Years that the feed names: what it does not name of them is deleted one by one.
    pub years_named: Vec<i32>,
    /// Years that somebody read or wrote all the while: left to the next round.
    pub years_busy: Vec<i32>,
    /// Killmails that were deleted one by one.
    pub killmails: u64,
}

/// Deletes what is no longer kept until `token` is cancelled. Retry: everything, with growing pauses; a batch that is
/// under way at the end is rolled back.
///
/// # Errors
/// None at present: all failures are retried.
pub async fn run(deps: RetentionDeps, token: CancellationToken) -> anyhow::Result<()> {
    let clock = Arc::clone(&deps.clock);
    let state = (deps, token.clone());
    terms::serve("retention", &clock, &token, state, |(deps, token)| {
        Box::pin(term(deps, token))
    })
    .await;
    Ok(())
}

/// One term: from the lock to its loss. `Ok` once `token` is cancelled.
async fn term(deps: &RetentionDeps, token: &CancellationToken) -> anyhow::Result<()> {
    let waiting = Leadership::acquire(&deps.store, Duty::Retention);
    let Some(acquired) = token.run_until_cancelled(waiting).await else {
        return Ok(());
    };
    let mut leadership = acquired.context("asking for the lock of retention")?;
    let ended = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        error = leadership.lost() => Err(anyhow::Error::new(error).context("the lock of retention is lost")),
        Err(error) = work(deps) => Err(error),
    };
    if let Err(error) = leadership.release().await {
        tracing::debug!(%error, "the lock of retention was gone already");
    }
    ended
}

async fn work(deps: &RetentionDeps) -> anyhow::Result<Infallible> {
    // The machine's timer: the pauses are about the database.
    tokio::time::sleep(deps.first).await;
    loop {
        round(deps).await?;
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Deletes everything that is no longer kept now. Does nothing where all is kept.
///
/// # Errors
/// When the database refuses; what was deleted by then stays deleted.
pub async fn round(deps: &RetentionDeps) -> store::Result<Expired> {
    let Some(horizon) = deps.retention.horizon(deps.clock.now()) else {
        return Ok(Expired::default());
    };
    let mut expired = Expired::default();
    let mut from = None;
    for year in retention::years(&deps.store.pool).await? {
        if year >= horizon.year() {
            break;
        }
        let fate = drop_year(&deps.store, year).await?;
        events::YearExpired { year, fate }.emit();
        match fate {
            Fate::Dropped => expired.years.push(year),
            Fate::Named => expired.years_named.push(year),
            Fate::Busy => {
                expired.years_busy.push(year);
                from = NaiveDate::from_ymd_opt(year + 1, 1, 1);
            }
        }
    }
    let from = from.map(|day| day.and_time(NaiveTime::MIN).and_utc());
    expired.killmails = delete(&deps.store, Expiry::new(from, horizon)).await?;
    forget(&deps.store, horizon).await?;
    events::KillmailsExpired {
        horizon,
        killmails: expired.killmails,
    }
    .emit();
    Ok(expired)
}

/// What became of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Dropped,
    Named,
    Busy,
}

async fn drop_year(store: &Store, year: i32) -> store::Result<Fate> {
    for _ in 0..DROP_TRIES {
        match retention::drop_year(&store.pool, year).await {
            Ok(true) => return Ok(Fate::Dropped),
            Ok(false) => return Ok(Fate::Named),
            Err(error) if error.is_lock_timeout() => tokio::time::sleep(DROP_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
    Ok(Fate::Busy)
}

async fn delete(store: &Store, mut walk: Expiry) -> store::Result<u64> {
    let mut killmails = 0;
    while let Some(deleted) = walk.delete_next(&store.pool, BATCH).await? {
        killmails += deleted;
        tokio::time::sleep(BREATH).await;
    }
    Ok(killmails)
}

async fn forget(store: &Store, horizon: DateTime<Utc>) -> store::Result<()> {
    let operation = "forgetting what is known of expired days";
    let failed = |source| Error::Query { operation, source };
    let mut transaction = store.pool.begin().await.map_err(failed)?;
    retention::forget(&mut transaction, horizon).await?;
    transaction.commit().await.map_err(failed)?;
    // A killmail of the horizon's day may have been asked about long after it happened.
    let before = horizon + TimeDelta::days(1);
    while retention::forget_attempts(&store.pool, before, BATCH).await? > 0 {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}
