//! One run: totals once, then a year at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use tokio_util::sync::CancellationToken;

use super::examine::{self, Examination};
use super::judge::{self, Counts, Opinion};
use super::{ReconcileDeps, ReconcileError, ReconcileRequest, Reconciled, Scope, gaps};
use crate::domain::Span;
use crate::ingest::backfill::{Source, Watch};
use crate::ingest::dead_letter::chain;
use crate::store::day_checks::{self, DayCheck, Verdict};
use crate::store::{history_wishes, killmails};
use crate::upstream::totals::Totals;

/// The most checks read at once: a leap year has fewer days.
const YEAR: i64 = 400;

/// A source that may have more than is stored.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// For people.
    pub(super) name: &'static str,
    /// Where it is; why it may not be asked.
    pub(super) source: Result<Source, String>,
    /// What it counts; `None` where it does not tell.
    pub(super) totals: Option<Totals>,
}

impl Asked {
    async fn learn(name: &'static str, source: Result<Source, String>) -> (Self, Option<String>) {
        let learnt = match &source {
            Err(reason) => Err(reason.clone()),
            Ok(source) => source.totals().await.map_err(|error| chain(&error)),
        };
        let (totals, problem) = match learnt {
            Ok(totals) => (Some(totals), None),
            Err(reason) => (None, Some(reason)),
        };
        let asked = Self {
            name,
            source,
            totals,
        };
        (asked, problem)
    }

    /// What it counts on a day.
    pub(super) fn total(&self, day: NaiveDate) -> Option<u64> {
        self.totals.as_ref()?.get(&day).copied()
    }
}

/// The two sources, EVE Ref first: its files are a tenth of R2Z2's.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    pub(super) everef: Asked,
    pub(super) r2z2: Asked,
}

impl Sources {
    fn counts(&self, day: NaiveDate, own: u64) -> Counts {
        Counts {
            own,
            everef: self.everef.total(day),
            r2z2: self.r2z2.total(day),
        }
    }
}

/// Holds days against what others count, fetches what lacks, and closes gaps that are left to history. Stops between
/// two days when `stop` is cancelled.
///
/// # Errors
/// When nobody tells what they count, the database refuses, or it is stopped; what was found by then is stored.
pub async fn reconcile(
    deps: &ReconcileDeps,
    request: ReconcileRequest,
    watch: Arc<dyn Watch>,
    stop: &CancellationToken,
) -> Result<Reconciled, ReconcileError> {
    let learning = learn(deps);
    let (sources, unasked) = stop
        .run_until_cancelled(learning)
        .await
        .ok_or(ReconcileError::Stopped)?;
    if sources.everef.totals.is_none() && sources.r2z2.totals.is_none() {
        let reasons = unasked
            .iter()
            .map(|(name, reason)| format!("{name}: {reason}"));
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        return Err(ReconcileError::NoTotals { reasons });
    }
    let mut reconciled = Reconciled {
        unasked,
        ..Reconciled::default()
    };
    for (first, last) in years(deps, request.scope).await? {
        let examination = Examination {
            deps,
            sources: &sources,
            watch: &watch,
            stop,
        };
        let mut checks = check(&examination, request, (first, last), &mut reconciled).await?;
        reconciled.checks.append(&mut checks);
    }
    if request.fetch {
        let settling = gaps::settle(deps, &sources.r2z2, &watch, stop).await?;
        reconciled.documents += settling.documents;
        reconciled.gaps = settling.settled;
    }
    Ok(reconciled)
}

async fn learn(deps: &ReconcileDeps) -> (Sources, Vec<(&'static str, String)>) {
    let sources = deps.sources.clone();
    let ((everef, no_everef), (r2z2, no_r2z2)) = tokio::join!(
        Asked::learn("EVE Ref", sources.everef),
        Asked::learn("R2Z2", sources.r2z2),
    );
    let unasked = [(everef.name, no_everef), (r2z2.name, no_r2z2)];
    let unasked = unasked.into_iter();
    let unasked = unasked.filter_map(|(name, problem)| Some((name, problem?)));
    let unasked = unasked.collect();
    (Sources { everef, r2z2 }, unasked)
}

/// The days of a scope in pieces of a year, newest first: one statement counts a year at most.
async fn years(
    deps: &ReconcileDeps,
    scope: Scope,
) -> Result<Vec<(NaiveDate, NaiveDate)>, ReconcileError> {
    let backfill = &deps.backfill;
    let now = backfill.clock.now();
    let Some(yesterday) = now.date_naive().pred_opt() else {
        return Ok(Vec::new());
    };
    let wanted = match scope {
        Scope::Recent(days) => {
            let back = Days::new(u64::from(days.saturating_sub(1)));
            yesterday.checked_sub_days(back)
        }
        Scope::All => killmails::oldest_time(&backfill.store.pool)
            .await?
            .map(|oldest| oldest.date_naive()),
    };
    let kept = backfill.ingest.retention.horizon(now);
    let kept = kept.map(|horizon| horizon.date_naive());
    let Some(first) = wanted.max(wanted.and(kept)) else {
        return Ok(Vec::new());
    };
    let mut pieces = Vec::new();
    let mut last = yesterday;
    while last >= first {
        let new_year = NaiveDate::from_ymd_opt(last.year(), 1, 1).unwrap_or(first);
        pieces.push((new_year.max(first), last));
        let Some(before) = new_year.pred_opt() else {
            break;
        };
        last = before;
    }
    Ok(pieces)
}

/// Judges the days of a piece, has those that lack something fetched, and writes all of it down.
async fn check(
    examination: &Examination<'_>,
    request: ReconcileRequest,
    (first, last): (NaiveDate, NaiveDate),
    reconciled: &mut Reconciled,
) -> Result<Vec<DayCheck>, ReconcileError> {
    let backfill = &examination.deps.backfill;
    let (pool, now) = (&backfill.store.pool, backfill.clock.now());
    let after = last.succ_opt().unwrap_or(last);
    let own = count(examination, first, last).await?;
    let before = day_checks::newest(pool, Some(after), Some(first), YEAR).await?;
    let before: BTreeMap<NaiveDate, DayCheck> = before.into_iter().map(|it| (it.day, it)).collect();
    let kept = history_wishes::knowledge(pool, midnight(first))
        .await?
        .spans;
    let mut checks = BTreeMap::new();
    let mut lacking = Vec::new();
    for day in first.iter_days().take_while(|day| *day <= last) {
        let own = own.get(&day).copied().unwrap_or_default();
        let counts = examination.sources.counts(day, own);
        let earlier = before.get(&day);
        match judge::by_numbers(counts, earlier, is_kept(day, &kept)) {
            Opinion::Settled(Verdict::Uncounted, _) if own == 0 => {}
            Opinion::Settled(verdict, reason) => {
                let check = judge::check(day, counts, (verdict, reason), earlier, now);
                checks.insert(day, check);
            }
            Opinion::Lacks => lacking.push(day),
        }
    }
    let verdicts = if request.fetch {
        let examined = examine::days(examination, &lacking).await?;
        reconciled.documents += examined.documents;
        examined.verdicts
    } else {
        examine::left_alone()
    };
    let own = count(examination, first, last).await?;
    for day in lacking {
        let counts = examination
            .sources
            .counts(day, own.get(&day).copied().unwrap_or_default());
        let earlier = before.get(&day);
        // What was fetched may have settled it.
        let said = match judge::by_numbers(counts, earlier, true) {
            Opinion::Settled(verdict, reason) => (verdict, reason),
            Opinion::Lacks => verdicts.of(day, counts),
        };
        checks.insert(day, judge::check(day, counts, said, earlier, now));
    }
    let checks: Vec<DayCheck> = checks.into_values().rev().collect();
    if request.fetch {
        day_checks::save(pool, &checks).await?;
    }
    if examination.stop.is_cancelled() {
        return Err(ReconcileError::Stopped);
    }
    Ok(checks)
}

/// Killmails of the days that have any.
pub(super) async fn count(
    examination: &Examination<'_>,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<BTreeMap<NaiveDate, u64>, ReconcileError> {
    let after = last.succ_opt().unwrap_or(last);
    let pool = &examination.deps.backfill.store.pool;
    let days = killmails::by_day(pool, midnight(first), midnight(after)).await?;
    let days = days.into_iter();
    Ok(days
        .map(|(day, killmails)| (day, u64::try_from(killmails).unwrap_or_default()))
        .collect())
}

/// True where a part of the day was followed live, or its file was read to the end.
fn is_kept(day: NaiveDate, kept: &[Span]) -> bool {
    let (begins, ends) = (midnight(day), midnight(day.succ_opt().unwrap_or(day)));
    kept.iter()
        .any(|span| span.from < ends && span.until > begins)
}

pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
