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
