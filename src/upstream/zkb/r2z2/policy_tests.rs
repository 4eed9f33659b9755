//! The policy against a small world: which numbers exist when, what `sequence.json` says, what goes wrong.

mod world;

use std::time::Duration;

use rstest::rstest;

use self::world::*;
use super::*;
use crate::upstream::http::Retry;

#[test]
fn follows_numbers_at_the_interval() {
    let story = run(
        saved(100),
        seconds(2),
        |_, number| {
            if number <= 105 {
                FOUND
            } else {
                Answer::Missing
            }
        },
        head_at(60),
    );
    assert_eq!(story.numbers(), [101, 102, 103, 104, 105]);
    assert_eq!(story.asked[2].wait, INTERVAL);
    assert_eq!(story.positions.last().unwrap().number, 105);
    assert_polite(&story, |_, number| number > 105);
}

#[rstest]
#[case::nothing_saved(Start::Head, 1000, 940, None)]
#[case::nothing_saved_young_server(Start::Head, 5, 1, None)]
#[case::saved_lately(saved(900), 1000, 901, None)]
#[case::saved_lately_and_ahead_of_the_lagging_head(saved(1010), 1000, 1011, None)]
#[case::saved_too_long_ago(
    Start::After { position: 900, age: seconds(21 * 3600) }, 2000, 1940, Some((901, 1939))
)]
#[case::saved_long_ago_but_nothing_happened(
    Start::After { position: 1000, age: seconds(21 * 3600) }, 1000, 1001, None
)]
#[case::a_day_of_numbers_behind(saved(900), 20_000, 19_940, Some((901, 19_939)))]
fn begins_where_it_should(
    #[case] start: Start,
    #[case] head: i64,
    #[case] first: i64,
    #[case] hole: Option<(i64, i64)>,
) {
    let story = run(start, seconds(1), |_, _| FOUND, head_at(head));
    assert_eq!(story.asked[0].ask, Ask::Head);
    assert_eq!(story.asked[1].ask, Ask::Document(first));
    let holes: Vec<_> = story
        .holes
        .iter()
        .map(|hole| (hole.from, hole.to))
        .collect();
    assert_eq!(holes, hole.into_iter().collect::<Vec<_>>());
    if let Some((_, to)) = hole {
        assert_eq!(
            story.positions[0],
            Position {
                number: to,
                rewind: false
            }
        );
    }
}

#[rstest]
#[case(150, &[])]
#[case(101, &[])]
#[case(100, &[])]
#[case(99, &[99])]
fn beside_a_young_server_it_begins_with_the_first_number_there(
    #[case] head: i64,
    #[case] gaps: &[i64],
) {
    let missing = |_: Duration, number: i64| !(100..160).contains(&number);
    let story = run(
        Start::Head,
        seconds(75),
        |now, number| {
            if missing(now, number) {
                Answer::Missing
            } else {
                FOUND
            }
        },
        head_at(head),
    );
    assert_eq!(story.numbers(), (100..160).collect::<Vec<_>>());
    assert_eq!(story.gaps(), gaps);
    assert_polite(&story, missing);
}

#[test]
fn a_saved_position_needs_no_sequence_json_to_begin() {
    let failing = |_| HeadAnswer::Failed(Retry::Transient);
    let story = run(saved(100), seconds(4), |_, _| FOUND, failing);
    assert_eq!(story.asked[1].ask, Ask::Document(101));

    let story = run(Start::Head, seconds(30), |_, _| FOUND, failing);
    assert!(story.asked.iter().all(|asked| asked.ask == Ask::Head));
    assert!(story.asked[4].wait >= seconds(8));
}

#[test]
fn a_ghost_404_that_resolves_is_waited_for() {
    let missing = |now: Duration, number: i64| match number {
        101 => now < seconds(60),
        _ => number > 110,
    };
    let story = run(
        saved(100),
        seconds(64),
        |now, number| {
            if missing(now, number) {
                Answer::Missing
            } else {
                FOUND
            }
        },
        head_at(200),
    );
    assert_eq!(story.numbers()[..3], [101, 102, 103]);
    assert_eq!(story.gaps(), Vec::<i64>::new());
    assert_polite(&story, missing);
}

#[rstest]
#[case::by_sequence_json(150)]
#[case::by_probing(40)]
fn a_permanent_gap_is_passed_over_after_evidence(#[case] head: i64) {
    let missing = |_: Duration, number: i64| number == 101 || number > 140;
    let story = run(
        saved(100),
        seconds(200),
        |now, number| {
            if missing(now, number) {
                Answer::Missing
            } else {
                FOUND
            }
        },
        head_at(head),
    );
    assert_eq!(story.passed_over[0].1, 101);
    assert_eq!(story.passed_over[0].2, Why::Missing);
    let at = story.passed_over[0].0;
    assert!(at >= seconds(66), "passed over after {at:?}");
    assert!(at < seconds(100), "passed over only after {at:?}");
    let first_new = story.numbers().iter().position(|number| *number == 102);
    assert!(first_new.is_some());
    assert_polite(&story, missing);
}

#[test]
fn several_missing_in_a_row_are_found_by_probing_and_all_recorded() {
    let missing = |_: Duration, number: i64| (101..=104).contains(&number) || number > 105;
    let story = run(
        saved(100),
        seconds(150),
        |now, number| {
            if missing(now, number) {
                Answer::Missing
            } else {
                FOUND
            }
        },
        head_at(90),
    );
    assert_eq!(story.gaps(), [101, 102, 103, 104]);
    assert!(story.numbers().contains(&105));
    assert_polite(&story, missing);
}

#[test]
fn a_long_run_below_sequence_json_is_crossed_without_waiting_anew_for_each() {
    let missing = |_: Duration, number: i64| (101..=130).contains(&number);
    let story = run(
        saved(100),
        seconds(400),
        |now, number| {
            if missing(now, number) {
                Answer::Missing
            } else {
                FOUND
            }
        },
        head_at(500),
    );
    assert_eq!(story.gaps(), (101..=130).collect::<Vec<_>>());
    assert!(story.numbers().contains(&131));
    assert_polite(&story, missing);
}

#[test]
fn a_lagging_or_rewound_sequence_json_is_never_jumped_to() {
    let exists = |now: Duration, number: i64| number <= 1000 || now > seconds(1200);
    let story = run(
        saved(1000),
        seconds(1210),
        |now, number| {
            if exists(now, number) {
                FOUND
            } else {
                Answer::Missing
            }
        },
        head_at(200),
    );
    assert!(story.positions.iter().all(|position| !position.rewind));
    assert_eq!(story.gaps(), Vec::<i64>::new());
    assert!(story.numbers().contains(&1001));
    assert!(matches!(story.alerts[0], Alert::Stale(since) if since >= seconds(600)));
    assert_polite(&story, |now, number| !exists(now, number));
}

#[test]
fn a_position_that_never_was_is_snapped_back_after_five_minutes() {
    let story = run(
        saved(5000),
        seconds(700),
        |_, number| {
            if number <= 205 {
                FOUND
            } else {
                Answer::Missing
            }
        },
        head_at(200),
    );
    let rewind = story
        .positions
        .iter()
        .find(|position| position.rewind)
        .unwrap();
    assert_eq!(rewind.number, 139);
    assert!(story.alerts.contains(&Alert::SnappedBack(140)));
    let first = story.delivered[0];
    assert_eq!(first.1, 140);
    assert!(
        first.0 > seconds(300) && first.0 < seconds(480),
        "{first:?}"
    );
}

#[test]
fn a_number_reused_for_another_killmail_is_read_again() {
    let story = run(
        saved(100),
        seconds(90),
        |_, number| {
            if number <= 100 {
                FOUND
            } else {
                Answer::Missing
            }
        },
        head_at(80),
    );
    assert_eq!(story.numbers(), [100]);
    assert!(story.positions.is_empty(), "the position stays");
}

#[test]
fn far_behind_sequence_json_it_skips_ahead_and_says_what_it_skipped() {
    let expired = |_: Duration, number: i64| number < 30_000;
    let head = |now| HeadAnswer::Number(if now < seconds(1) { 200 } else { 40_000 });
    let story = run(
        saved(100),
        seconds(90),
        |now, number| {
            if expired(now, number) {
                Answer::Missing
            } else {
                FOUND
            }
        },
        head,
    );
    assert_eq!(
        story.holes,
        [Hole {
            from: 101,
            to: 39_939
        }]
    );
    assert_eq!(story.numbers()[0], 39_940);
}

#[rstest]
#[case::rate_limited_with_retry_after(Retry::RateLimited(Some(seconds(17))), [17, 17, 17])]
#[case::rate_limited_without(Retry::RateLimited(None), [10, 20, 30])]
#[case::banned(Retry::Banned(HOUR), [3600, 3600, 3600])]
#[case::server_error_or_timeout(Retry::Transient, [1, 2, 4])]
fn failures_are_waited_out_and_lose_nothing(#[case] retry: Retry, #[case] waits: [u64; 3]) {
    let limits = PolicyLimits::new(INTERVAL, IDLE);
    let mut policy = Policy::new(limits, saved(100), Duration::ZERO, 3);
    policy.on_head(Duration::ZERO, HeadAnswer::Number(80));
    for wait in waits {
        let effects = policy.on_document(Duration::ZERO, Answer::Failed(retry));
        assert!(!effects.deliver && effects.position.is_none());
        let banned = matches!(retry, Retry::Banned(_));
        assert_eq!(matches!(effects.alert, Some(Alert::Banned(_))), banned);
        let next = policy.next();
        assert_eq!(next.ask, Ask::Document(101));
        let least = seconds(wait);
        assert!(
            next.wait >= least && next.wait <= least.mul_f64(1.2),
            "{next:?}"
        );
    }
    policy.on_document(Duration::ZERO, FOUND);
    assert_eq!(
        policy.next(),
        Next {
            wait: INTERVAL,
            ask: Ask::Document(102)
        }
    );
}

#[test]
fn failure_pauses_grow_to_a_minute_and_no_further() {
    let story = run(
        saved(100),
        seconds(1000),
        |_, _| Answer::Failed(Retry::Transient),
        head_at(80),
    );
    let longest = story.asked.iter().map(|asked| asked.wait).max().unwrap();
    assert!(
        longest >= seconds(60) && longest <= seconds(72),
        "{longest:?}"
    );
    assert!(story.positions.is_empty());
}

#[test]
fn one_file_that_always_fails_is_passed_over_once_later_ones_are_there() {
    let story = run(
        saved(100),
        seconds(1000),
        |_, number| match number {
            101 => Answer::Failed(Retry::Transient),
            _ => FOUND,
        },
        head_at(80),
    );
    assert_eq!(story.gaps(), [101]);
    assert!(story.numbers().contains(&102));
}

#[rstest]
#[case::cut_off(Answer::Unreadable, Why::Garbage)]
#[case::refused_for_good(Answer::Failed(Retry::Permanent), Why::Garbage)]
#[case::json_but_no_document(
    Answer::Document { number: None, updated: None, readable: false }, Why::Garbage
)]
#[case::another_numbers_document(
    Answer::Document { number: Some(77), updated: None, readable: true }, Why::Missing
)]
fn what_stays_unreadable_is_kept_and_passed_over(#[case] answer: Answer, #[case] why: Why) {
    let story = run(
        saved(100),
        seconds(900),
        |_, number| if number == 101 { answer } else { FOUND },
        head_at(80),
    );
    let tries = story
        .asked
        .iter()
        .filter(|asked| asked.ask == Ask::Document(101))
        .count();
    assert_eq!(tries, 10);
    assert_eq!(story.passed_over[0].1, 101);
    assert_eq!(story.passed_over[0].2, why);
    assert_eq!(story.numbers()[..2], [101, 102], "its bytes are handed on");
}

#[test]
fn an_unreadable_answer_that_gets_better_loses_nothing() {
    let story = run(
        saved(100),
        seconds(30),
        |now, number| match number {
            101 if now < seconds(5) => Answer::Unreadable,
            _ => FOUND,
        },
        head_at(80),
    );
    assert_eq!(story.numbers()[..2], [101, 102]);
    assert_eq!(story.gaps(), Vec::<i64>::new());
}

#[test]
fn a_whole_document_that_is_no_killmail_is_not_asked_for_again_at_once() {
    let story = run(
        saved(100),
        seconds(1),
        |_, number| Answer::Document {
            number: Some(number),
            updated: None,
            readable: number != 101,
        },
        head_at(80),
    );
    assert_eq!(story.numbers()[..2], [101, 102]);
    assert_eq!(story.passed_over.len(), 1);
    assert_eq!(story.passed_over[0].2, Why::Garbage);
}

#[rstest]
#[case(Some(50), &[50])]
#[case(Some(101), &[])]
#[case(Some(500), &[])]
#[case(Some(0), &[])]
#[case(None, &[])]
fn an_earlier_number_uploaded_again_is_noted(#[case] updated: Option<i64>, #[case] again: &[i64]) {
    let limits = PolicyLimits::new(INTERVAL, IDLE);
    let mut policy = Policy::new(limits, saved(100), Duration::ZERO, 3);
    policy.on_head(Duration::ZERO, HeadAnswer::Number(80));
    let effects = policy.on_document(
        Duration::ZERO,
        Answer::Document {
            number: Some(101),
            updated,
            readable: true,
        },
    );
    let noted: Vec<i64> = effects
        .passed_over
        .iter()
        .map(|passed| passed.number)
        .collect();
    assert_eq!(noted, again);
    assert!(
        effects
            .passed_over
            .iter()
            .all(|passed| passed.reason == Why::Updated)
    );
}

#[test]
fn a_retry_squeezed_in_delays_the_next_request() {
    let limits = PolicyLimits::new(INTERVAL, IDLE);
    let mut policy = Policy::new(limits, saved(100), Duration::ZERO, 3);
    policy.on_head(Duration::ZERO, HeadAnswer::Number(80));
    assert!(!policy.is_idle());
    policy.on_document(Duration::ZERO, Answer::Missing);
    assert!(policy.is_idle());
    assert_eq!(policy.on_aside(FOUND), None);
    assert_eq!(policy.next().wait, INTERVAL);
    assert_eq!(policy.on_aside(Answer::Missing), None);
    assert!(policy.next().wait >= IDLE);
    policy.on_aside(Answer::Failed(Retry::Banned(HOUR)));
    assert!(policy.next().wait >= HOUR);
    assert_eq!(policy.next().ask, Ask::Document(101));
}

#[test]
fn a_shorter_idle_wait_shrinks_what_depends_on_it() {
    let limits = PolicyLimits::new(Duration::from_millis(10), Duration::from_millis(60));
    assert_eq!(limits.stuck, Duration::from_millis(660));
    assert_eq!(limits.scaled(seconds(120)), Duration::from_millis(1200));
    let real = PolicyLimits::new(INTERVAL, IDLE);
    assert_eq!(real.stuck, seconds(66));
    assert_eq!(real.scaled(seconds(120)), seconds(120));
}
