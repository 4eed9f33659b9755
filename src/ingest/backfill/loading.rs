//! Years that nobody has killmails of are loaded apart, and attached when all of their days are settled.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate, TimeDelta};

use super::BackfillDeps;
use super::events::{YearAttached, YearBegun};
use super::plan::Task;
use super::run::patiently;
use crate::store;
use crate::store::loading::{self, YearLocks};

/// Fewer days of a year are not worth tables of their own.
const FEWEST_DAYS: usize = 5;

/// The years that a run loads apart.
#[derive(Debug)]
pub(super) struct Years {
    locks: YearLocks,
    /// Days of each that are not settled yet.
    left: BTreeMap<i32, usize>,
}

impl Years {
    /// Begins the years of `tasks` that can be loaded apart; `None` where there is none.
    pub(super) async fn begin(deps: &BackfillDeps, tasks: &[Task]) -> store::Result<Option<Self>> {
        let announced = TimeDelta::hours(i64::from(deps.ingest.announce_hours));
        let last = loading::last_year(deps.clock.now() - announced);
        let mut days: BTreeMap<i32, usize> = BTreeMap::new();
        for task in tasks {
            *days.entry(task.day.year()).or_default() += 1;
        }
        days.retain(|year, days| *year <= last && *days >= FEWEST_DAYS);
        if days.is_empty() {
            return Ok(None);
        }
        let mut years = Self {
            locks: YearLocks::open(&deps.store).await?,
            left: BTreeMap::new(),
        };
        for (year, days) in days {
            if !years.locks.load(year).await? {
                continue;
            }
            if loading::begin(&deps.store.pool, year).await? {
                YearBegun { year }.emit();
                years.left.insert(year, days);
            } else {
                years.locks.release(year).await?;
            }
        }
        Ok(Some(years))
    }

    /// One more day needs nothing more; with the last one of a year it is attached.
    pub(super) async fn settled(
        &mut self,
        deps: &BackfillDeps,
        day: NaiveDate,
    ) -> store::Result<()> {
        let year = day.year();
        let Some(left) = self.left.get_mut(&year) else {
            return Ok(());
        };
        *left = left.saturating_sub(1);
        if *left > 0 {
            return Ok(());
        }
        self.left.remove(&year);
        // A connection that is gone has given all years up.
        self.locks.release(year).await.ok();
        patiently(&deps.clock, || attach(deps, year)).await
    }
}

/// Attaches what runs have loaded apart and left, unless somebody is still loading it.
pub(super) async fn attach_left(deps: &BackfillDeps) -> store::Result<()> {
    for year in loading::years(&deps.store.pool).await? {
        attach(deps, year).await?;
    }
    Ok(())
}

/// Whoever else is still loading the year attaches it.
async fn attach(deps: &BackfillDeps, year: i32) -> store::Result<()> {
    let mut locks = YearLocks::open(&deps.store).await?;
    if locks.finish(year).await? {
        let started = deps.clock.monotonic();
        loading::build_indexes(&deps.store, year).await?;
        if loading::attach(locks.connection(), year).await? {
            let elapsed = deps.clock.monotonic().saturating_sub(started);
            YearAttached { year, elapsed }.emit();
        }
    }
    locks.close().await
}
