//! Which pages are read, in which order, and when that is enough. Pure.
//!
//! A past of up to a week is one list (`pastSeconds`), a longer one is a list a month, newest first. A reading
//! ends with the list, or with the first page on which everything is older than what is wanted. New killmails
//! only push others to later pages, so going on where a reading was interrupted misses nothing that it
//! promises.

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};

use crate::domain::Span;
use crate::store::history_wishes::{Walk, Wish};
use crate::upstream::zkb::list::{LAST_PAGE, LONGEST_PAST, Window};

/// The most pages read for one wish: 20,000 killmails, some two minutes. There are more only in the busiest
/// regions, whose past is better taken from day archives.
pub const MAX_PAGES: i32 = 100;
/// A page with less than half of what fits is the last one of its list. One killmail less would not do:
/// those of the last five minutes are left out of a page that was counted with them.
const HALF_A_PAGE: usize = 100;
/// How much of what is known is read again: killmails that were posted late.
const OVERLAP: TimeDelta = TimeDelta::hours(1);
/// The last minutes are left out of lists.
const EMBARGO: TimeDelta = TimeDelta::minutes(5);

/// What a page had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) elements: usize,
    pub(super) newest: Option<DateTime<Utc>>,
    pub(super) oldest: Option<DateTime<Utc>>,
    pub(super) as_of: DateTime<Utc>,
}

/// What follows from a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// Another page.
    Page(Walk),
    /// The reading is over.
    End {
        walk: Walk,
        /// What is known now.
        known: Span,
        /// There is more than is read for one wish.
        truncated: bool,
    },
}

/// Where a reading for a wish begins: at what is not known yet.
pub(super) fn begin(wish: &Wish, now: DateTime<Utc>) -> Walk {
    let known = wish.known.filter(|known| {
        wish.wanted_from <= known.until && (known.from <= wish.wanted_from || wish.truncated)
    });
    let from = known.map_or(wish.wanted_from, |known| known.until - OVERLAP);
    Walk {
        from,
        as_of: now,
        oldest: None,
        month: (now - from > LONGEST_PAST).then(|| month_of(now)),
        page: 1,
        pages: 0,
    }
}

/// A reading that goes on after a pause. What the list of the last week no longer reaches is read by months.
pub(super) fn resume(walk: Walk, now: DateTime<Utc>) -> Walk {
    if walk.month.is_none() && now - walk.from > LONGEST_PAST {
        return Walk {
            month: Some(month_of(now)),
            page: 1,
            ..walk
        };
    }
    walk
}

/// The list to read.
pub(super) fn window(walk: &Walk, now: DateTime<Utc>) -> Window {
    if let Some(month) = walk.month {
        return Window::Month(month);
    }
    let hours = ((now - walk.from).num_seconds() + 3_599) / 3_600;
    Window::PastHours(hours.clamp(1, LONGEST_PAST.num_hours()))
}

/// What to do after a page.
pub(super) fn after(walk: Walk, seen: Seen, max_pages: i32) -> Next {
    let mut walk = Walk {
        pages: walk.pages + 1,
        as_of: walk.as_of.min(seen.as_of),
        oldest: [walk.oldest, seen.oldest].into_iter().flatten().min(),
        ..walk
    };
    let is_past = seen.newest.is_some_and(|newest| newest < walk.from);
    let ends_list = seen.elements < HALF_A_PAGE;
    let earlier = match walk.month {
        Some(month) if month > walk.from.date_naive() => month.checked_sub_months(Months::new(1)),
        Some(_) | None => None,
    };
    match (is_past, ends_list, earlier) {
        (true, _, _) | (_, true, None) => return end(walk, walk.from, false),
        // What is beyond the last page can't be had.
        (_, false, _) if walk.page >= LAST_PAGE => return cut_off(walk),
        (_, false, _) => walk.page += 1,
        (_, true, earlier) => {
            walk.month = earlier;
            walk.page = 1;
        }
    }
    if walk.pages >= max_pages {
        return cut_off(walk);
    }
    Next::Page(walk)
}

fn cut_off(walk: Walk) -> Next {
    let from = walk.oldest.unwrap_or(walk.as_of).max(walk.from);
    end(walk, from, true)
}

fn end(walk: Walk, from: DateTime<Utc>, truncated: bool) -> Next {
    let until = walk.as_of - EMBARGO;
    Next::End {
        walk,
        known: Span {
            from: from.min(until),
            until,
        },
        truncated,
    }
}

fn month_of(time: DateTime<Utc>) -> NaiveDate {
    let day = time.date_naive();
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests;
