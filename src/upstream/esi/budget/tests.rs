use rstest::rstest;

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn budget() -> Arc<EsiBudget> {
    Arc::default()
}

fn wait(budget: &EsiBudget, operation: Operation, now: Duration) -> Option<Duration> {
    budget.wait(operation, now).map(|refusal| refusal.wait)
}

const NOW: Duration = Duration::from_secs(1000);

#[rstest]
#[case::plenty(200, &[("x-ratelimit-limit", "3600/15m"), ("x-ratelimit-remaining", "3000")], None, None, None)]
#[case::enough_for_one(200, &[("x-ratelimit-limit", "3600/15m"), ("x-ratelimit-remaining", "365")], None, None, None)]
#[case::scarce(200, &[("x-ratelimit-limit", "3600/15m"), ("x-ratelimit-remaining", "364")], None, Some(90), None)]
#[case::limited(429, &[], Some(7), Some(7), None)]
#[case::limited_without_a_word(429, &[], None, Some(60), None)]
#[case::limited_with_all(429, &[("x-ratelimit-limit", "3600/15m"), ("x-ratelimit-remaining", "0")], Some(7), Some(7), None)]
#[case::errors_used_up(420, &[("x-esi-error-limit-reset", "23")], None, Some(23), Some(23))]
#[case::errors_used_up_with_a_word(420, &[("x-esi-error-limit-reset", "23")], Some(31), Some(31), Some(31))]
#[case::errors_used_up_without_a_word(420, &[], None, Some(60), Some(60))]
#[case::errors_nearly_used_up(404, &[("x-esi-error-limit-remain", "15"), ("x-esi-error-limit-reset", "41")], None, Some(41), Some(41))]
#[case::errors_left(404, &[("x-esi-error-limit-remain", "16"), ("x-esi-error-limit-reset", "41")], None, None, None)]
#[case::an_odd_reset(404, &[("x-esi-error-limit-remain", "1"), ("x-esi-error-limit-reset", "9999")], None, Some(60), Some(60))]
#[case::odd_headers(200, &[("x-ratelimit-limit", "lots"), ("x-ratelimit-remaining", "-3")], None, None, None)]
fn answers_teach_when_to_pause(
    #[case] status: u16,
    #[case] pairs: &[(&'static str, &str)],
    #[case] retry_after: Option<u64>,
    #[case] own: Option<u64>,
    #[case] others: Option<u64>,
) {
    let budget = budget();
    let retry_after = retry_after.map(Duration::from_secs);
    budget.observe(
        Operation::Killmail,
        status,
        &headers(pairs),
        retry_after,
        NOW,
    );
    let own = own.map(Duration::from_secs);
    assert_eq!(wait(&budget, Operation::Killmail, NOW), own);
    assert_eq!(
        wait(&budget, Operation::Names, NOW),
        others.map(Duration::from_secs)
    );
    let over = NOW + own.unwrap_or_default();
    assert_eq!(wait(&budget, Operation::Killmail, over), None);
}

#[test]
fn routes_of_one_group_pause_together_once_answers_told_so() {
    let budget = budget();
    let told = headers(&[("x-ratelimit-group", "org")]);
    budget.observe(Operation::Corporation, 200, &told, None, NOW);
    budget.observe(Operation::Alliance, 200, &told, None, NOW);
    let pause = Some(Duration::from_secs(9));
    budget.observe(Operation::Alliance, 429, &told, pause, NOW);
    assert_eq!(wait(&budget, Operation::Corporation, NOW), pause);
    assert_eq!(wait(&budget, Operation::Type, NOW), None);
}

#[test]
fn requests_side_by_side_do_not_overshoot_the_edge() {
    let budget = budget();
    let told = headers(&[
        ("x-ratelimit-limit", "3600/15m"),
        ("x-ratelimit-remaining", "372"),
    ]);
    budget.observe(Operation::Killmail, 200, &told, None, NOW);
    // Twelve tokens above the reserve of 360 pay for two errors.
    let first = budget.admit(Operation::Killmail, NOW).unwrap();
    let second = budget.admit(Operation::Killmail, NOW).unwrap();
    let refusal = budget.admit(Operation::Killmail, NOW).unwrap_err();
    assert_eq!(refusal.why, Why::UnderWay);
    drop(second);
    let third = budget.admit(Operation::Killmail, NOW).unwrap();
    drop((first, third));
    assert_eq!(wait(&budget, Operation::Killmail, NOW), None);
}

#[test]
fn after_a_pause_one_request_finds_out_what_is_left() {
    let budget = budget();
    let scarce = headers(&[
        ("x-ratelimit-limit", "3600/15m"),
        ("x-ratelimit-remaining", "2"),
    ]);
    budget.observe(Operation::Killmail, 200, &scarce, None, NOW);
    let later = NOW + Duration::from_secs(90);
    let alone = budget.admit(Operation::Killmail, later).unwrap();
    assert!(budget.admit(Operation::Killmail, later).is_err());
    let plenty = headers(&[
        ("x-ratelimit-limit", "3600/15m"),
        ("x-ratelimit-remaining", "720"),
    ]);
    budget.observe(Operation::Killmail, 200, &plenty, None, later);
    drop(alone);
    let tickets: Vec<_> = (0..8)
        .map(|_| budget.admit(Operation::Killmail, later).unwrap())
        .collect();
    assert_eq!(tickets.len(), 8);
}

#[test]
fn errors_of_requests_side_by_side_are_reckoned_with() {
    let budget = budget();
    let told = headers(&[
        ("x-esi-error-limit-remain", "18"),
        ("x-esi-error-limit-reset", "30"),
    ]);
    budget.observe(Operation::Names, 404, &told, None, NOW);
    let tickets: Vec<_> = (0..3)
        .map_while(|_| budget.admit(Operation::Names, NOW).ok())
        .collect();
    assert_eq!(tickets.len(), 3);
    let other = budget.admit(Operation::Killmail, NOW).unwrap_err();
    assert_eq!(other.why, Why::UnderWay);
    let next_window = NOW + Duration::from_secs(30);
    assert!(budget.admit(Operation::Killmail, next_window).is_ok());
}

#[test]
fn pauses_after_failures_double_up_to_a_minute_and_end_with_an_answer() {
    let budget = budget();
    let mut now = NOW;
    for doubled in [1, 2, 4, 8, 16, 32, 60, 60] {
        budget.failed(Operation::Names, true, now);
        let pause = wait(&budget, Operation::Names, now).unwrap();
        let shortest = Duration::from_secs(doubled);
        let longest = shortest.mul_f64(1.0 + JITTER).min(LONGEST_BACK_OFF);
        assert!((shortest..=longest).contains(&pause), "{pause:?}");
        // Another that was under way at the same time changes nothing.
        budget.failed(Operation::Names, true, now);
        assert_eq!(wait(&budget, Operation::Names, now), Some(pause));
        assert_eq!(wait(&budget, Operation::Type, now), None);
        now += pause;
    }
    budget.worked(Operation::Names);
    budget.failed(Operation::Names, true, now);
    assert!(wait(&budget, Operation::Names, now).unwrap() <= FIRST_BACK_OFF.mul_f64(1.0 + JITTER));
}

#[test]
fn groups_without_end_are_not_remembered() {
    let budget = budget();
    for number in 0..1_000 {
        let told = headers(&[("x-ratelimit-group", &format!("group-{number}"))]);
        budget.observe(Operation::Names, 200, &told, None, NOW);
    }
    assert!(budget.lock().groups.len() <= MAX_GROUPS);
}
