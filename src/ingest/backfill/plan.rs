//! Which days of a range have to be asked for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::store::backfill_days::BackfillDay;
use crate::upstream::day_file::Version;
use crate::upstream::totals::Totals;

/// The most days of one range: all of the game's past fits in several times.
pub const MAX_DAYS: i64 = 20_000;

/// When a day that was read to its end is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recheck {
    /// Where the source counts another number of killmails than were read.
    ByCount,
    /// Always, but a file that is still the one that was read is not read again.
    ByVersion,
    /// Always, and its file is read again: rows may have been lost since.
    Afresh,
}

/// Days from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    first: NaiveDate,
    last: NaiveDate,
}

/// Why two days are no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// The wrong way round.
    #[error("from is {from} and to is {to}: allowed is a first day that is not after the last one")]
    Backwards {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// Too many.
    #[error("from {from} to {to} are {days} days, allowed are {MAX_DAYS}")]
    TooLong {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
        /// How many they are.
        days: i64,
    },
}

impl DayRange {
    /// The days from `from` to `to`, both included.
    ///
    /// # Errors
    /// When `to` lies before `from`, or too far after it.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self, RangeError> {
        let days = to.signed_duration_since(from).num_days() + 1;
        if days < 1 {
            return Err(RangeError::Backwards { from, to });
        }
        if days > MAX_DAYS {
            return Err(RangeError::TooLong { from, to, days });
        }
        Ok(Self {
            first: from,
            last: to,
        })
    }

    /// The first day.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The last day.
    pub fn last(self) -> NaiveDate {
        self.last
    }

    /// All days, the newest first: what happened lately is what people look for.
    fn newest_first(self) -> impl Iterator<Item = NaiveDate> {
        let first = self.first;
        std::iter::successors(Some(self.last), NaiveDate::pred_opt)
            .take_while(move |day| *day >= first)
    }
}

/// A day to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) day: NaiveDate,
    /// The version that is stored already.
    pub(super) known: Option<Version>,
    /// Killmails that the source says the day has.
    pub(super) expected: Option<u64>,
    /// The most documents the day has ever had.
    pub(super) most_documents: u64,
    /// Tries before this one.
    pub(super) tries: u32,
}

/// What to do with the days of a range.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// To be asked for, the newest first.
    pub(super) tasks: Vec<Task>,
    /// Days with as many killmails as were read from them: not asked for.
    pub(super) unchanged: u64,
    /// Days that the source does not list although it lists later ones: not asked for.
    pub(super) absent: u64,
}

impl Plan {
    /// `totals` is what the source lists, `stored` what is remembered of the range.
    pub(super) fn of(
        (range, only): (DayRange, Option<&BTreeSet<NaiveDate>>),
        stored: Vec<BackfillDay>,
        totals: &Totals,
        recheck: Recheck,
    ) -> Self {
        let mut stored: BTreeMap<NaiveDate, BackfillDay> =
            stored.into_iter().map(|it| (it.day, it)).collect();
        let newest_listed = totals.last_key_value().map(|(day, _)| *day);
        let mut plan = Self::default();
        let wanted = |day: &NaiveDate| only.is_none_or(|only| only.contains(day));
        for day in range.newest_first().filter(wanted) {
            let expected = totals.get(&day).copied();
            let record = stored.remove(&day);
            let read = record.as_ref().map_or(0, |it| count(it.documents));
            let is_done = record.as_ref().is_some_and(|it| it.is_done);
            if is_done && expected == Some(read) && recheck == Recheck::ByCount {
                plan.unchanged += 1;
            } else if expected.is_none() && newest_listed.is_some_and(|newest| day < newest) {
                plan.absent += 1;
            } else {
                plan.tasks.push(Task {
                    day,
                    expected,
                    most_documents: record.as_ref().map_or(0, |it| count(it.most_documents)),
                    known: record
                        .filter(|it| it.is_done && recheck != Recheck::Afresh)
                        .map(|it| Version {
                            etag: it.etag,
                            last_modified: it.last_modified,
                        }),
                    tries: 0,
                });
            }
        }
        plan
    }

    /// Killmails that the days asked for should have.
    pub(super) fn expected(&self) -> u64 {
        self.tasks.iter().filter_map(|task| task.expected).sum()
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, number).unwrap()
    }

    fn done(number: u32, documents: i64) -> BackfillDay {
        BackfillDay {
            day: day(number),
            is_done: true,
            etag: Some(format!("\"{documents}\"")),
            last_modified: None,
            size_bytes: Some(9),
            documents,
            most_documents: documents,
            dead_letters: 0,
            passed_over: 0,
            error: None,
            verified_at: None,
        }
    }

    fn asked(plan: &Plan) -> Vec<(u32, bool)> {
        use chrono::Datelike;
        (plan.tasks.iter())
            .map(|task| (task.day.day(), task.known.is_some()))
            .collect()
    }

    #[test]
    fn ranges() {
        let range = DayRange::new(day(1), day(3)).unwrap();
        assert_eq!(range.newest_first().count(), 3);
        assert_eq!(range.newest_first().next(), Some(day(3)));
        assert_eq!(
            DayRange::new(day(2), day(2))
                .unwrap()
                .newest_first()
                .count(),
            1
        );
        let error = DayRange::new(day(3), day(1)).unwrap_err().to_string();
        assert!(
            error.starts_with("from is 2024-01-03 and to is 2024-01-01"),
            "{error}"
        );
        assert!(DayRange::new(NaiveDate::MIN, day(1)).is_err());
    }

    #[test]
    fn only_what_may_have_changed_is_asked_for() {
        let range = DayRange::new(day(1), day(6)).unwrap();
        let mut interrupted = done(2, 5);
        interrupted.is_done = false;
        let stored = vec![done(1, 7), interrupted, done(3, 8)];
        // The third has grown, the fourth was never listed, the sixth is not listed yet.
        let totals = Totals::from([(day(1), 7), (day(2), 5), (day(3), 9), (day(5), 1)]);
        let whole = (range, None);
        let plan = Plan::of(whole, stored.clone(), &totals, Recheck::ByCount);
        assert_eq!(
            asked(&plan),
            [(6, false), (5, false), (3, true), (2, false)]
        );
        assert_eq!((plan.unchanged, plan.absent, plan.expected()), (1, 1, 15));
        let plan = Plan::of(whole, stored.clone(), &totals, Recheck::ByVersion);
        assert_eq!(asked(&plan).last(), Some(&(1, true)));
        let only = BTreeSet::from([day(1), day(3)]);
        let plan = Plan::of((range, Some(&only)), stored, &totals, Recheck::Afresh);
        assert_eq!(asked(&plan), [(3, false), (1, false)]);
    }

    #[test]
    fn without_totals_every_day_is_asked_for() {
        let range = DayRange::new(day(1), day(3)).unwrap();
        let plan = Plan::of(
            (range, None),
            vec![done(2, 5)],
            &Totals::new(),
            Recheck::ByCount,
        );
        assert_eq!(asked(&plan), [(3, false), (2, true), (1, false)]);
    }
}
