//! The past of one system, region, character, corporation or alliance: what is known of it, and whether that
//! is enough.
//!
//! A span of an entity's past is **known well enough** when spans of three kinds cover it together:
//!
//! * what was read for the entity itself, as of the time of that reading, and a slack on top;
//! * the time in which a live source was followed without a break: it brings everything, whosoever it is;
//! * days whose archive is stored.
//!
//! The slack is there because lists are kept in caches for an hour, and their owner asks not to be asked for
//! the same more often. Killmails that appear years late (players may post old ones) are not part of the
//! promise: only a new reading finds them.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Whose past it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HistoryKind {
    /// A solar system: kills in it.
    System,
    /// A region: kills in its systems.
    Region,
    /// A pilot: kills and losses.
    Character,
    /// A corporation: kills and losses.
    Corporation,
    /// An alliance: kills and losses.
    Alliance,
}

impl HistoryKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::System,
        Self::Region,
        Self::Character,
        Self::Corporation,
        Self::Alliance,
    ];

    /// The word in storage and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Region => "region",
            Self::Character => "character",
            Self::Corporation => "corporation",
            Self::Alliance => "alliance",
        }
    }

    /// The kind that a word of [`Self::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One entity whose past can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HistoryKey {
    /// What it is.
    pub kind: HistoryKind,
    /// Its id.
    pub id: i64,
}

impl HistoryKey {
    /// A solar system.
    pub fn system(id: i64) -> Self {
        Self {
            kind: HistoryKind::System,
            id,
        }
    }
}

impl fmt::Display for HistoryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind.as_str(), self.id)
    }
}

/// A span of time, from and until included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: DateTime<Utc>,
    /// Its end.
    pub until: DateTime<Utc>,
}

impl Span {
    /// A whole day.
    pub fn day(day: NaiveDate) -> Self {
        let from = day.and_time(NaiveTime::MIN).and_utc();
        Self {
            from,
            until: from + TimeDelta::days(1),
        }
    }
}

/// The first moment of `wanted` that is not known; `None` where all of it is known well enough. `read` is what
/// was read for the entity itself, `others` what is known of everybody's past.
pub fn first_unknown(
    read: Option<Span>,
    others: &[Span],
    wanted: Span,
    slack: TimeDelta,
) -> Option<DateTime<Utc>> {
    let read = read.map(|span| Span {
        until: span.until + slack,
        ..span
    });
    let mut spans: Vec<Span> = others.iter().copied().chain(read).collect();
    spans.sort_by_key(|span| span.from);
    let mut covered = wanted.from;
    for span in spans {
        if span.from <= covered {
            covered = covered.max(span.until);
        }
    }
    (covered < wanted.until).then_some(covered)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        "2026-11-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour)
    }

    fn span((from, until): (i64, i64)) -> Span {
        Span {
            from: at(from),
            until: at(until),
        }
    }

    #[rstest]
    #[case::nothing_is_known(None, &[], Some(0))]
    #[case::all_of_it_was_read(Some((0, 48)), &[], None)]
    #[case::an_hour_ago(Some((-5, 47)), &[], None)]
    #[case::two_hours_ago(Some((-5, 46)), &[], Some(47))]
    #[case::the_beginning_is_missing(Some((1, 48)), &[], Some(0))]
    #[case::read_and_followed_since(Some((0, 10)), &[(11, 48)], None)]
    #[case::read_and_followed_later(Some((0, 10)), &[(12, 48)], Some(11))]
    #[case::followed_since_before(None, &[(-20, 48)], None)]
    #[case::followed_until_it_stopped(None, &[(-20, 47)], Some(47))]
    #[case::days_and_followed(None, &[(24, 48), (0, 24)], None)]
    #[case::overlapping(None, &[(10, 48), (-3, 12), (5, 9)], None)]
    #[case::only_what_was_before(Some((-48, -2)), &[], Some(0))]
    #[case::only_what_comes_after(None, &[(49, 60)], Some(0))]
    fn what_is_known_well_enough(
        #[case] read: Option<(i64, i64)>,
        #[case] others: &[(i64, i64)],
        #[case] missing: Option<i64>,
    ) {
        let others: Vec<Span> = others.iter().copied().map(span).collect();
        let wanted = span((0, 48));
        let found = first_unknown(read.map(span), &others, wanted, TimeDelta::hours(1));
        assert_eq!(found, missing.map(at));
    }

    #[test]
    fn days_join_without_a_seam() {
        let days = [at(0), at(24)].map(|time| Span::day(time.date_naive()));
        let found = first_unknown(None, &days, span((0, 48)), TimeDelta::zero());
        assert_eq!(found, None);
    }

    #[test]
    fn words_of_kinds_can_be_read_back() {
        for kind in HistoryKind::ALL {
            assert_eq!(HistoryKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(HistoryKind::from_word("faction"), None);
    }
}
