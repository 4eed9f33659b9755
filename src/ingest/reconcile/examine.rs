//! Reads the files of days that lack something, EVE Ref's first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use tokio_util::sync::CancellationToken;

use super::judge::{self, Ahead, Counts, FileRead};
use super::run::{Asked, Sources, count};
use super::{ReconcileDeps, ReconcileError};
use crate::ingest::backfill::{self, BackfillRequest, DayRange, Recheck, Watch};
use crate::ingest::import::Summary;
use crate::store::backfill_days;
use crate::store::day_checks::Verdict;

/// What the examination of days works with.
pub(super) struct Examination<'a> {
    pub(super) deps: &'a ReconcileDeps,
    pub(super) sources: &'a Sources,
    pub(super) watch: &'a Arc<dyn Watch>,
    pub(super) stop: &'a CancellationToken,
}

/// What the reading of a source's files came to, by day.
type Readings = BTreeMap<NaiveDate, Result<FileRead, String>>;

/// What can be said of days that still lack something.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    everef: Readings,
    r2z2: Readings,
    otherwise: &'static str,
}

/// What came of an examination.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) documents: Summary,
    pub(super) verdicts: Verdicts,
}

impl Verdicts {
    /// What is to be said of a day whose numbers are these by now.
    pub(super) fn of(&self, day: NaiveDate, counts: Counts) -> (Verdict, Option<String>) {
        let ahead: Vec<Ahead> = [
            ("EVE Ref", counts.everef, &self.everef),
            ("R2Z2", counts.r2z2, &self.r2z2),
        ]
        .into_iter()
        .filter_map(|(name, total, readings)| {
            let total = total.filter(|total| *total > counts.own)?;
            let read = readings.get(&day).cloned();
            let read = read.unwrap_or_else(|| Err(self.otherwise.to_owned()));
            Some(Ahead { name, total, read })
        })
        .collect();
        let (verdict, reason) = judge::after_reading(counts.own, &ahead);
        (verdict, Some(reason))
    }
}

/// Says of days that nothing was fetched.
pub(super) fn left_alone() -> Verdicts {
    Verdicts {
        otherwise: "it was only looked at",
        ..Verdicts::default()
    }
}

/// Reads what the sources have of `days`, which are in order.
pub(super) async fn days(
    examination: &Examination<'_>,
    days: &[NaiveDate],
) -> Result<Examined, ReconcileError> {
    let mut examined = Examined::default();
    examined.verdicts.otherwise = "it was not reached";
    let sources = examination.sources;
    examined.verdicts.everef =
        one_source(examination, days, &sources.everef, &mut examined.documents).await?;
    examined.verdicts.r2z2 =
        one_source(examination, days, &sources.r2z2, &mut examined.documents).await?;
    Ok(examined)
}

/// Reads the days of which a source still has more than is stored.
async fn one_source(
    examination: &Examination<'_>,
    days: &[NaiveDate],
    asked: &Asked,
    documents: &mut Summary,
) -> Result<Readings, ReconcileError> {
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else {
        return Ok(Readings::new());
    };
    let own = count(examination, first, last).await?;
    let has_more = |day: &&NaiveDate| {
        let own = own.get(day).copied().unwrap_or_default();
        asked.total(**day).is_some_and(|total| total > own)
    };
    let wanted: BTreeSet<NaiveDate> = days.iter().filter(has_more).copied().collect();
    read(examination, asked, wanted, Recheck::Afresh, documents).await
}

/// Reads days from a source. What it could not read is in the answer, with the reason.
pub(super) async fn read(
    examination: &Examination<'_>,
    asked: &Asked,
    wanted: BTreeSet<NaiveDate>,
    recheck: Recheck,
    documents: &mut Summary,
) -> Result<Readings, ReconcileError> {
    let (Some(first), Some(last)) = (wanted.first().copied(), wanted.last().copied()) else {
        return Ok(Readings::new());
    };
    let source = match &asked.source {
        Ok(source) => source.clone(),
        Err(reason) => return Ok(all(&wanted, reason)),
    };
    let Some(totals) = asked.totals.clone() else {
        return Ok(all(&wanted, "it does not tell what it counts"));
    };
    let Ok(range) = DayRange::new(first, last) else {
        return Ok(Readings::new());
    };
    let name = source.name();
    let request = BackfillRequest {
        only: Some(wanted.clone()),
        totals: Some(totals),
        ..BackfillRequest::new(source, range, recheck)
    };
    let deps = &examination.deps.backfill;
    let began = deps.clock.now();
    let watch = Arc::clone(examination.watch);
    let report = backfill::run(deps, &request, watch, examination.stop).await?;
    *documents += report.documents;
    let mut readings = all(
        &wanted,
        "it is read by another run, or its file is not there",
    );
    for day in backfill_days::load(&deps.store.pool, name, first, last).await? {
        if !wanted.contains(&day.day) {
            continue;
        }
        let number = |count: i64| u64::try_from(count).unwrap_or_default();
        if day.is_done && day.verified_at.is_some_and(|time| time >= began) {
            let read = FileRead {
                documents: number(day.documents),
                dead_letters: number(day.dead_letters),
                passed_over: number(day.passed_over),
            };
            readings.insert(day.day, Ok(read));
        } else if let Some(error) = day.error {
            readings.insert(day.day, Err(error));
        }
    }
    Ok(readings)
}

fn all(days: &BTreeSet<NaiveDate>, reason: &str) -> Readings {
    days.iter()
        .map(|day| (*day, Err(reason.to_owned())))
        .collect()
}
