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
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::HistoryKey;
    use crate::store::history_wishes::{RequestedBy, WishState};

    fn time(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn wish(wanted_from: &str) -> Wish {
        Wish {
            key: HistoryKey::system(30_000_142),
            state: WishState::Requested,
            requested_by: RequestedBy::Api,
            requested_at: time("2026-11-20T12:00"),
            wanted_from: time(wanted_from),
            known: None,
            truncated: false,
            attempts: 0,
            next_attempt_at: time("2026-11-20T12:00"),
            last_error: None,
            walk: None,
            pages_read: 0,
            killmails_new: 0,
            updated_at: time("2026-11-20T12:00"),
        }
    }

    fn span(from: &str, until: &str) -> Span {
        Span {
            from: time(from),
            until: time(until),
        }
    }

    fn now() -> DateTime<Utc> {
        time("2026-11-20T12:00")
    }

    fn page(elements: usize, oldest: &str, newest: &str) -> Seen {
        Seen {
            elements,
            newest: Some(time(newest)),
            oldest: Some(time(oldest)),
            as_of: now(),
        }
    }

    fn month(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::a_day("2026-11-19T12:00", Window::PastHours(24))]
    #[case::a_bit_more("2026-11-19T11:59", Window::PastHours(25))]
    #[case::a_week("2026-11-13T12:00", Window::PastHours(168))]
    #[case::a_minute("2026-11-20T11:59", Window::PastHours(1))]
    #[case::the_future("2026-11-21T12:00", Window::PastHours(1))]
    #[case::more_than_a_week("2026-11-13T11:59", Window::Month("2026-11-01".parse().unwrap()))]
    fn a_week_is_one_list(#[case] from: &str, #[case] expected: Window) {
        assert_eq!(window(&begin(&wish(from), now()), now()), expected);
    }

    #[rstest]
    #[case::nothing_known(None, false, "2026-11-19T00:00")]
    #[case::all_but_the_end(
        Some(span("2026-11-18T00:00", "2026-11-20T08:00")),
        false,
        "2026-11-20T07:00"
    )]
    #[case::too_late_a_beginning(
        Some(span("2026-11-19T06:00", "2026-11-20T08:00")),
        false,
        "2026-11-19T00:00"
    )]
    #[case::too_much_to_read(
        Some(span("2026-11-19T06:00", "2026-11-20T08:00")),
        true,
        "2026-11-20T07:00"
    )]
    #[case::long_ago(
        Some(span("2026-10-01T00:00", "2026-11-01T00:00")),
        false,
        "2026-11-19T00:00"
    )]
    fn what_is_known_is_not_read_again(
        #[case] known: Option<Span>,
        #[case] truncated: bool,
        #[case] from: &str,
    ) {
        let wish = Wish {
            known,
            truncated,
            ..wish("2026-11-19T00:00")
        };
        assert_eq!(begin(&wish, now()).from, time(from));
    }

    #[test]
    fn a_short_page_ends_the_list() {
        let walk = begin(&wish("2026-11-19T12:00"), now());
        let Next::Page(second) = after(
            walk,
            page(200, "2026-11-20T05:00", "2026-11-20T11:00"),
            MAX_PAGES,
        ) else {
            panic!("there is more");
        };
        assert_eq!((second.page, second.pages), (2, 1));
        let Next::Page(third) = after(
            second,
            page(198, "2026-11-20T02:00", "2026-11-20T05:00"),
            MAX_PAGES,
        ) else {
            panic!("two less are no end");
        };
        let end = after(
            third,
            page(7, "2026-11-20T00:00", "2026-11-20T02:00"),
            MAX_PAGES,
        );
        let Next::End {
            known: found,
            truncated,
            walk,
        } = end
        else {
            panic!("{end:?}");
        };
        assert!(!truncated);
        assert_eq!(found, span("2026-11-19T12:00", "2026-11-20T11:55"));
        assert_eq!(walk.pages, 3);
    }

    #[test]
    fn an_empty_list_is_an_answer() {
        let walk = begin(&wish("2026-11-19T12:00"), now());
        let seen = Seen {
            elements: 0,
            newest: None,
            oldest: None,
            as_of: now(),
        };
        assert!(matches!(
            after(walk, seen, MAX_PAGES),
            Next::End {
                truncated: false,
                ..
            }
        ));
    }

    #[test]
    fn months_follow_each_other_down_to_the_span() {
        let mut walk = begin(&wish("2026-09-10T00:00"), now());
        let mut asked = Vec::new();
        let seen = page(50, "2026-09-11T00:00", "2026-11-20T11:00");
        loop {
            asked.push((walk.month, walk.page));
            match after(walk, seen, MAX_PAGES) {
                Next::Page(next) => walk = next,
                Next::End { truncated, .. } => {
                    assert!(!truncated);
                    break;
                }
            }
        }
        assert_eq!(
            asked,
            [
                (Some(month("2026-11-01")), 1),
                (Some(month("2026-10-01")), 1),
                (Some(month("2026-09-01")), 1)
            ]
        );
    }

    #[test]
    fn a_page_of_older_ones_is_the_last() {
        let walk = begin(&wish("2026-11-10T00:00"), now());
        let end = after(
            walk,
            page(200, "2026-11-08T00:00", "2026-11-09T23:59"),
            MAX_PAGES,
        );
        assert!(
            matches!(
                end,
                Next::End {
                    truncated: false,
                    ..
                }
            ),
            "{end:?}"
        );
    }

    #[rstest]
    #[case::of_ours(1, 2)]
    #[case::of_zkillboards(LAST_PAGE, MAX_PAGES * 2)]
    fn the_bound_of_pages_is_said(#[case] at: i32, #[case] max_pages: i32) {
        let walk = Walk {
            page: at,
            pages: 1,
            ..begin(&wish("2026-11-19T12:00"), now())
        };
        let full = page(200, "2026-11-20T05:00", "2026-11-20T11:00");
        let Next::End {
            known: found,
            truncated: true,
            ..
        } = after(walk, full, max_pages)
        else {
            panic!("it goes on");
        };
        assert_eq!(found, span("2026-11-20T05:00", "2026-11-20T11:55"));
    }

    #[test]
    fn an_old_answer_promises_less() {
        let walk = begin(&wish("2026-11-19T12:00"), now());
        let seen = Seen {
            as_of: time("2026-11-20T11:10"),
            ..page(3, "2026-11-20T05:00", "2026-11-20T11:00")
        };
        let Next::End { known: found, .. } = after(walk, seen, MAX_PAGES) else {
            panic!("it goes on");
        };
        assert_eq!(found.until, time("2026-11-20T11:05"));
    }

    #[test]
    fn a_long_pause_changes_the_list() {
        let walk = Walk {
            page: 4,
            ..begin(&wish("2026-11-14T12:00"), now())
        };
        assert_eq!(resume(walk, now()), walk);
        let later = resume(walk, time("2026-12-02T00:00"));
        assert_eq!((later.month, later.page), (Some(month("2026-12-01")), 1));
        assert_eq!(resume(later, time("2027-01-01T00:00")), later);
    }
}
