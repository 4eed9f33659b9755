//! Which part of a window rolled-up rows answer, and which part has to be computed.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use sqlx::PgConnection;

use super::marks;
use crate::store::Result;

/// A time from `from`, itself included, to `to`, itself excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Its beginning.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
}

/// A window in pieces, as arrays to bind: whole days without a mark, and what is left. Neighbours are one piece.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) rolled_from: Vec<NaiveDate>,
    pub(super) rolled_to: Vec<NaiveDate>,
    pub(super) live_from: Vec<DateTime<Utc>>,
    pub(super) live_to: Vec<DateTime<Utc>>,
}

/// The first moment of a day.
pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

impl Split {
    /// Looks at the marks.
    pub(super) async fn of(conn: &mut PgConnection, window: Window) -> Result<Self> {
        let (first, last) = (window.from.date_naive(), window.to.date_naive());
        let marked = marks::between(conn, first, last).await?;
        Ok(Self::without(window, &marked.into_iter().collect()))
    }

    /// All of it computed.
    pub(super) fn live(window: Window) -> Self {
        Self {
            live_from: vec![window.from],
            live_to: vec![window.to],
            ..Self::default()
        }
    }

    fn without(window: Window, marked: &BTreeSet<NaiveDate>) -> Self {
        let mut split = Self::default();
        let mut day = window.from.date_naive();
        while midnight(day) < window.to {
            let Some(next) = day.checked_add_days(Days::new(1)) else {
                break;
            };
            let (from, to) = (midnight(day), midnight(next));
            if window.from <= from && to <= window.to && !marked.contains(&day) {
                append(&mut split.rolled_from, &mut split.rolled_to, (day, next));
            } else {
                let piece = (window.from.max(from), window.to.min(to));
                append(&mut split.live_from, &mut split.live_to, piece);
            }
            day = next;
        }
        split
    }

    /// Beginnings of the rolled-up pieces, as times.
    pub(super) fn rolled_from_times(&self) -> Vec<DateTime<Utc>> {
        self.rolled_from.iter().copied().map(midnight).collect()
    }

    /// Their ends.
    pub(super) fn rolled_to_times(&self) -> Vec<DateTime<Utc>> {
        self.rolled_to.iter().copied().map(midnight).collect()
    }
}

fn append<T: PartialEq>(from: &mut Vec<T>, to: &mut Vec<T>, piece: (T, T)) {
    match to.last_mut() {
        Some(end) if *end == piece.0 => *end = piece.1,
        _ => {
            from.push(piece.0);
            to.push(piece.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn edges_and_marked_days_are_computed() {
        let window = Window {
            from: time("2026-01-01T10:00:00Z"),
            to: time("2026-01-08T01:30:00Z"),
        };
        let marked = [day("2026-01-04"), day("2026-01-05"), day("2026-02-01")];
        assert_eq!(
            Split::without(window, &marked.into()),
            Split {
                rolled_from: vec![day("2026-01-02"), day("2026-01-06")],
                rolled_to: vec![day("2026-01-04"), day("2026-01-08")],
                live_from: vec![
                    time("2026-01-01T10:00:00Z"),
                    time("2026-01-04T00:00:00Z"),
                    time("2026-01-08T00:00:00Z"),
                ],
                live_to: vec![
                    time("2026-01-02T00:00:00Z"),
                    time("2026-01-06T00:00:00Z"),
                    time("2026-01-08T01:30:00Z"),
                ],
            }
        );
    }

    #[test]
    fn whole_days_need_no_computing() {
        let window = Window {
            from: time("2026-01-01T00:00:00Z"),
            to: time("2026-01-03T00:00:00Z"),
        };
        let split = Split::without(window, &BTreeSet::new());
        assert_eq!(split.rolled_to, [day("2026-01-03")]);
        assert!(split.live_from.is_empty());
    }
}
