//! Gaps of the live source that it no longer fills, closed by the history of the days around them.
//!
//! A number is given to a killmail when zKillboard gets it, mostly within hours of the kill. Its killmail is in the
//! history of the day before, that day or the day after, if anywhere: once those files were read after the last of the
//! three days had ended, there is nothing more to wait for.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::examine::{self, Examination};
use super::run::{Asked, Sources, midnight};
use super::{ReconcileDeps, ReconcileError, events};
use crate::ingest::backfill::{Recheck, Watch};
use crate::ingest::import::Summary;
use crate::runtime::config::BackfillSource;
use crate::store::backfill_days;
use crate::store::gaps::{self, Closing, LeftGap};

/// The most gaps looked at in one run; a bad day has some dozens.
const MAX_GAPS: i64 = 10_000;
/// After that a gap whose history can't be had is closed all the same.
const PATIENCE: TimeDelta = TimeDelta::days(14);
/// No files are read for gaps older than that: they are from a time when nobody closed gaps.
const READ_BACK: TimeDelta = TimeDelta::days(30);
/// Closed gaps are shown for so long.
const KEPT: TimeDelta = TimeDelta::days(90);

/// What became of gaps that were left to history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapsSettled {
    /// Closed, since the history around them was read.
    pub read: u64,
    /// Closed, since it can't be had.
    pub unavailable: u64,
    /// Left for later runs.
    pub left: u64,
}

/// What settling did.
#[derive(Debug, Default)]
pub(super) struct Settling {
    pub(super) settled: GapsSettled,
    pub(super) documents: Summary,
}

/// Reads the history around gaps and closes those that it settles.
pub(super) async fn settle(
    deps: &ReconcileDeps,
    r2z2: &Asked,
    watch: &Arc<dyn Watch>,
    stop: &CancellationToken,
) -> Result<Settling, ReconcileError> {
    let pool = &deps.backfill.store.pool;
    let now = deps.backfill.clock.now();
    gaps::forget_closed(pool, now - KEPT).await?;
    let left = gaps::left(pool, MAX_GAPS).await?;
    let mut settling = Settling::default();
    if left.is_empty() {
        return Ok(settling);
    }
    let kept = deps.backfill.ingest.retention.horizon(now);
    let earliest = kept.max(Some(now - READ_BACK)).unwrap_or(now);
    let verified = verified(deps, &left).await?;
    let wanted: BTreeSet<NaiveDate> = (left.iter())
        .filter(|gap| has_history(gap, now))
        .flat_map(|gap| around(gap).into_iter().map(move |day| (day, gap)))
        .filter(|(day, gap)| {
            midnight(*day) >= earliest && !verified.contains(&(*day, settled_from(gap)))
        })
        .map(|(day, _)| day)
        .collect();
    let sources = Sources {
        everef: r2z2.clone(),
        r2z2: r2z2.clone(),
    };
    let examination = Examination {
        deps,
        sources: &sources,
        watch,
        stop,
    };
    let recheck = Recheck::ByVersion;
    let documents = &mut settling.documents;
    examine::read(&examination, r2z2, wanted, recheck, documents).await?;
    settling.settled = close(deps, left, now).await?;
    Ok(settling)
}

async fn close(
    deps: &ReconcileDeps,
    left: Vec<LeftGap>,
    now: DateTime<Utc>,
) -> Result<GapsSettled, ReconcileError> {
    let pool = &deps.backfill.store.pool;
    let verified = verified(deps, &left).await?;
    let (read, others): (Vec<LeftGap>, Vec<LeftGap>) = left.into_iter().partition(|gap| {
        let mut days = around(gap).into_iter();
        has_history(gap, now) && days.all(|day| verified.contains(&(day, settled_from(gap))))
    });
    let (overdue, left): (Vec<LeftGap>, Vec<LeftGap>) = others
        .into_iter()
        .partition(|gap| now - gap.recorded_at > PATIENCE);
    let mut settled = GapsSettled {
        left: u64::try_from(left.len()).unwrap_or(u64::MAX),
        ..GapsSettled::default()
    };
    for (gaps, closing, closed) in [
        (read, Closing::HistoryRead, &mut settled.read),
        (
            overdue,
            Closing::HistoryUnavailable,
            &mut settled.unavailable,
        ),
    ] {
        *closed = gaps::close_by_history(pool, &gaps, closing, now).await?;
        events::GapsClosed {
            closing,
            number: *closed,
        }
        .emit();
    }
    Ok(settled)
}

/// The days around gaps whose files were verified after the last day of the gap had ended: with that moment.
async fn verified(
    deps: &ReconcileDeps,
    left: &[LeftGap],
) -> Result<BTreeSet<(NaiveDate, DateTime<Utc>)>, ReconcileError> {
    let days: BTreeSet<NaiveDate> = left.iter().flat_map(around).collect();
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else {
        return Ok(BTreeSet::new());
    };
    let (pool, source) = (&deps.backfill.store.pool, BackfillSource::R2z2.as_str());
    let days = backfill_days::load(pool, source, first, last).await?;
    let moments: BTreeSet<DateTime<Utc>> = left.iter().map(settled_from).collect();
    let verified = days.iter().filter(|day| day.is_done).flat_map(|day| {
        let until = day.verified_at;
        let moments = moments.iter().copied();
        let before = moments.filter(move |moment| until.is_some_and(|until| until >= *moment));
        before.map(move |moment| (day.day, moment))
    });
    Ok(verified.collect())
}

/// The day before, the day, and the day after.
fn around(gap: &LeftGap) -> Vec<NaiveDate> {
    let day = gap.recorded_at.date_naive();
    let days = [day.pred_opt(), Some(day), day.succ_opt()];
    days.into_iter().flatten().collect()
}

/// When the last of the days around a gap has ended.
fn settled_from(gap: &LeftGap) -> DateTime<Utc> {
    let day = gap.recorded_at.date_naive();
    midnight(day.checked_add_days(Days::new(2)).unwrap_or(day))
}

fn has_history(gap: &LeftGap, now: DateTime<Utc>) -> bool {
    now >= settled_from(gap)
}
