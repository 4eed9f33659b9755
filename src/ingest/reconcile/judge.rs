//! What a day's numbers say, before and after its files were read.

use chrono::NaiveDate;

use crate::store::day_checks::{DayCheck, Verdict};

/// A day with less than this part of what others count, neither followed nor filled, holds killmails by chance.
const SPARSE: u64 = 10;

/// Killmails of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) own: u64,
    /// EVE Ref's, where it lists the day.
    pub(super) everef: Option<u64>,
    /// R2Z2's, where it lists the day.
    pub(super) r2z2: Option<u64>,
}

/// What is to be done about a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opinion {
    /// Nothing: this is to be said of it.
    Settled(Verdict, Option<String>),
    /// Somebody has more: its files are to be read.
    Lacks,
}

/// How the reading of a source's file went, and what it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileRead {
    pub(super) documents: u64,
    pub(super) dead_letters: u64,
    pub(super) passed_over: u64,
}

/// A source that counts more than is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ahead {
    pub(super) name: &'static str,
    pub(super) total: u64,
    /// What its file had; why it could not be read.
    pub(super) read: Result<FileRead, String>,
}

impl Counts {
    /// The most that anybody counts.
    pub(super) fn theirs(&self) -> Option<u64> {
        self.everef.max(self.r2z2)
    }

    fn equals(&self, check: &DayCheck) -> bool {
        let number = |count: Option<i64>| count.and_then(|it| u64::try_from(it).ok());
        let before = (
            number(Some(check.own)),
            number(check.everef),
            number(check.r2z2),
        );
        before == (Some(self.own), self.everef, self.r2z2)
    }
}

/// Judges a day by its numbers. `before` is its last check, `is_kept` true where it was followed or filled. A day that
/// was kept stays so: the mark that it is filled goes with a reading that fails.
pub(super) fn by_numbers(counts: Counts, before: Option<&DayCheck>, is_kept: bool) -> Opinion {
    let Some(theirs) = counts.theirs() else {
        return Opinion::Settled(Verdict::Uncounted, None);
    };
    let was_kept =
        before.is_some_and(|check| !matches!(check.verdict, Verdict::NotKept | Verdict::Uncounted));
    let is_kept = is_kept || was_kept;
    if counts.own < theirs {
        return match before {
            Some(check) if check.verdict == Verdict::Explained && counts.equals(check) => {
                Opinion::Settled(Verdict::Explained, check.reason.clone())
            }
            _ if !is_kept && counts.own.saturating_mul(SPARSE) < theirs => {
                let reason = "neither followed nor filled".to_owned();
                Opinion::Settled(Verdict::NotKept, Some(reason))
            }
            _ => Opinion::Lacks,
        };
    }
    if let Some(reason) = before.and_then(|check| shrunk(counts, check)) {
        return Opinion::Settled(Verdict::Shrunk, Some(reason));
    }
    if counts.own > theirs {
        let more = counts.own - theirs;
        let reason = format!("{more} that nobody else counts");
        return Opinion::Settled(Verdict::MoreHere, Some(reason));
    }
    Opinion::Settled(Verdict::Complete, None)
}

/// Who counts fewer than before, in words.
fn shrunk(counts: Counts, before: &DayCheck) -> Option<String> {
    let reasons: Vec<String> = [
        ("EVE Ref", counts.everef, before.everef_most),
        ("R2Z2", counts.r2z2, before.r2z2_most),
    ]
    .into_iter()
    .filter_map(|(name, now, most)| {
        let (now, most) = (now?, u64::try_from(most?).ok()?);
        (now < most).then(|| format!("{name} counts {now} ({most} before)"))
    })
    .collect();
    (!reasons.is_empty()).then(|| format!("{}; nothing is deleted", reasons.join(", ")))
}

/// Judges a day that still lacks something after its files were asked for.
pub(super) fn after_reading(own: u64, ahead: &[Ahead]) -> (Verdict, String) {
    let mut reasons = Vec::new();
    for source in ahead {
        let name = source.name;
        match &source.read {
            Err(reason) => {
                let reason = format!("{name} counts {}: {reason}", source.total);
                return (Verdict::Lacking, reason);
            }
            Ok(read) => reasons.push(explained(own, source, read)),
        }
    }
    (Verdict::Explained, reasons.join("; "))
}

fn explained(own: u64, source: &Ahead, read: &FileRead) -> String {
    let (name, total) = (source.name, source.total);
    let mut parts = Vec::new();
    if read.documents < total {
        parts.push(format!("its file has {}", read.documents));
    }
    for (count, what) in [
        (read.dead_letters, "no killmails (dead letters)"),
        (
            read.passed_over,
            "empty, without a body or older than is kept",
        ),
    ] {
        if count > 0 {
            parts.push(format!("{count} of its file are {what}"));
        }
    }
    let usable = read.documents - (read.dead_letters + read.passed_over).min(read.documents);
    if let Some(elsewhere) = usable.checked_sub(own).filter(|count| *count > 0) {
        parts.push(format!("{elsewhere} of its file happened on another day"));
    }
    if parts.is_empty() {
        parts.push("its file was read to the end".to_owned());
    }
    format!("{name} counts {total}: {}", parts.join(", "))
}

/// A check of a day as it is stored.
pub(super) fn check(
    day: NaiveDate,
    counts: Counts,
    (verdict, reason): (Verdict, Option<String>),
    before: Option<&DayCheck>,
    now: chrono::DateTime<chrono::Utc>,
) -> DayCheck {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (everef, r2z2) = (counts.everef.map(number), counts.r2z2.map(number));
    DayCheck {
        day,
        own: number(counts.own),
        everef,
        r2z2,
        everef_most: everef.max(before.and_then(|it| it.everef_most)),
        r2z2_most: r2z2.max(before.and_then(|it| it.r2z2_most)),
        verdict,
        reason,
        checked_at: now,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn counts(own: u64, everef: Option<u64>, r2z2: Option<u64>) -> Counts {
        Counts { own, everef, r2z2 }
    }

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, 1).unwrap()
    }

    fn before(counts: Counts, verdict: Verdict) -> DayCheck {
        let now = "2024-01-05T07:00:00Z".parse().unwrap();
        check(
            day(),
            counts,
            (verdict, Some("because".to_owned())),
            None,
            now,
        )
    }

    fn verdict(opinion: &Opinion) -> Option<Verdict> {
        match opinion {
            Opinion::Settled(verdict, _) => Some(*verdict),
            Opinion::Lacks => None,
        }
    }

    #[rstest]
    #[case::nobody(counts(3, None, None), true, Some(Verdict::Uncounted))]
    #[case::as_many(counts(40, Some(39), Some(40)), true, Some(Verdict::Complete))]
    #[case::more(counts(41, Some(39), Some(40)), true, Some(Verdict::MoreHere))]
    #[case::fewer(counts(39, Some(39), Some(40)), true, None)]
    #[case::by_chance(counts(3, Some(40), None), false, Some(Verdict::NotKept))]
    #[case::too_many_for_chance(counts(4, Some(40), None), false, None)]
    #[case::lost(counts(0, Some(40), None), true, None)]
    fn numbers(#[case] counts: Counts, #[case] is_kept: bool, #[case] expected: Option<Verdict>) {
        assert_eq!(verdict(&by_numbers(counts, None, is_kept)), expected);
    }

    #[test]
    fn an_explained_day_is_explained_until_a_number_changes() {
        let known = counts(39, Some(39), Some(40));
        let explained = before(known, Verdict::Explained);
        let again = by_numbers(known, Some(&explained), true);
        let expected = Opinion::Settled(Verdict::Explained, Some("because".to_owned()));
        assert_eq!(again, expected);
        for changed in [
            counts(38, Some(39), Some(40)),
            counts(39, Some(40), Some(40)),
            counts(39, None, Some(40)),
        ] {
            assert_eq!(by_numbers(changed, Some(&explained), true), Opinion::Lacks);
        }
        let lacking = before(known, Verdict::Lacking);
        assert_eq!(by_numbers(known, Some(&lacking), true), Opinion::Lacks);
        let lost = counts(0, Some(39), Some(40));
        assert_eq!(by_numbers(lost, Some(&lacking), false), Opinion::Lacks);
    }

    #[test]
    fn a_smaller_total_is_told() {
        let full = before(counts(40, Some(40), Some(40)), Verdict::Complete);
        let shrunk = by_numbers(counts(40, Some(10), Some(40)), Some(&full), true);
        let Opinion::Settled(Verdict::Shrunk, Some(reason)) = shrunk else {
            panic!("{shrunk:?}");
        };
        assert_eq!(reason, "EVE Ref counts 10 (40 before); nothing is deleted");
    }

    #[test]
    fn what_was_read_explains_the_rest() {
        let ahead = |documents, dead_letters| Ahead {
            name: "R2Z2",
            total: 45,
            read: Ok(FileRead {
                documents,
                dead_letters,
                passed_over: 0,
            }),
        };
        let (verdict, reason) = after_reading(40, &[ahead(43, 2)]);
        assert_eq!(verdict, Verdict::Explained);
        assert_eq!(
            reason,
            "R2Z2 counts 45: its file has 43, 2 of its file are no killmails (dead letters), \
             1 of its file happened on another day"
        );
        let failed = Ahead {
            read: Err("503".to_owned()),
            ..ahead(0, 0)
        };
        let (verdict, reason) = after_reading(40, &[ahead(45, 0), failed]);
        assert_eq!(
            (verdict, reason.as_str()),
            (Verdict::Lacking, "R2Z2 counts 45: 503")
        );
    }
}
