use rstest::rstest;

use super::*;

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-24T{time}Z").parse().unwrap()
}

/// The monotonic time that goes with a time of that day.
fn ticks(now: DateTime<Utc>) -> Duration {
    (now - at("00:00:00")).to_std().unwrap()
}

fn gate(downtime: &mut Downtime, now: DateTime<Utc>) -> Gate {
    let waits = downtime.wait(now, ticks(now));
    let gate = downtime.gate(now, ticks(now));
    // What is told without asking is what asking tells.
    match gate {
        Gate::Open | Gate::Probe => assert_eq!(waits, None),
        Gate::Shut { wait, .. } => assert_eq!(waits, Some(wait)),
    }
    gate
}

fn shut(seconds: u64, cause: Cause) -> Gate {
    Gate::Shut {
        wait: Duration::from_secs(seconds),
        cause,
    }
}

#[rstest]
#[case::morning("00:00:00", Gate::Open)]
#[case::just_before("10:57:59", Gate::Open)]
#[case::just_begun("10:58:00", shut(420, Cause::Daily))]
#[case::eleven("11:00:00", shut(300, Cause::Daily))]
#[case::nearly_probed("11:04:59", shut(1, Cause::Daily))]
#[case::probed("11:05:00", Gate::Probe)]
#[case::probably_over("11:29:59", Gate::Probe)]
#[case::presumed_over("11:30:00", Gate::Open)]
#[case::evening("23:59:59", Gate::Open)]
fn who_starts_at_a_time_of_day(#[case] time: &str, #[case] expected: Gate) {
    assert_eq!(gate(&mut Downtime::new(true), at(time)), expected);
    assert_eq!(gate(&mut Downtime::new(false), at(time)), Gate::Open);
}

#[test]
fn a_fraction_of_a_second_is_waited_out() {
    let mut downtime = Downtime::new(true);
    let now = at("11:04:59.750");
    let wait = Duration::from_millis(250);
    let cause = Cause::Daily;
    assert_eq!(gate(&mut downtime, now), Gate::Shut { wait, cause });
}

#[test]
fn a_day_passes_with_one_downtime() {
    let mut downtime = Downtime::new(true);
    assert_eq!(gate(&mut downtime, at("10:58:00")), shut(420, Cause::Daily));
    assert_eq!(gate(&mut downtime, at("11:05:00")), Gate::Probe);
    // The first one is still asking.
    assert_eq!(gate(&mut downtime, at("11:05:01")), shut(29, Cause::Daily));
    downtime.probe_passed(at("11:05:02"));
    assert_eq!(downtime.cause(), None);
    for time in ["11:05:02", "11:20:00", "23:59:59"] {
        assert_eq!(gate(&mut downtime, at(time)), Gate::Open);
    }
    let tomorrow = at("10:59:00") + TimeDelta::days(1);
    assert_eq!(gate(&mut downtime, tomorrow), shut(360, Cause::Daily));
}

#[test]
fn probes_become_rarer_up_to_a_minute_and_go_on_until_one_passes() {
    let mut downtime = Downtime::new(true);
    let mut now = at("11:05:00");
    let mut pauses = Vec::new();
    for _ in 0..200 {
        assert_eq!(gate(&mut downtime, now), Gate::Probe);
        downtime.probe_failed(ticks(now), None);
        let pause = downtime.wait(now, ticks(now)).unwrap();
        pauses.push(pause.as_secs());
        now += pause;
    }
    assert_eq!(pauses[..5], [30, 40, 50, 60, 60]);
    assert_eq!(pauses.last(), Some(&60));
    assert!(now > at("14:00:00"), "long after the time it usually ends");
    assert_eq!(gate(&mut downtime, now), Gate::Probe);
    downtime.probe_passed(now);
    assert_eq!(gate(&mut downtime, now), Gate::Open);
}

#[test]
fn a_probe_that_could_not_be_sent_comes_again_when_it_can() {
    let mut downtime = Downtime::new(true);
    let now = at("11:05:00");
    assert_eq!(gate(&mut downtime, now), Gate::Probe);
    downtime.probe_failed(ticks(now), Some(Duration::from_secs(45)));
    assert_eq!(gate(&mut downtime, now), shut(45, Cause::Daily));
}

#[test]
fn maintenance_shuts_at_any_time_and_the_daily_downtime_comes_all_the_same() {
    let mut downtime = Downtime::new(true);
    downtime.maintenance(ticks(at("10:57:00")));
    let now = at("10:57:10");
    assert_eq!(gate(&mut downtime, now), shut(20, Cause::Maintenance));
    assert_eq!(gate(&mut downtime, at("10:57:30")), Gate::Probe);
    downtime.probe_passed(at("10:57:31"));
    assert_eq!(gate(&mut downtime, at("10:57:31")), Gate::Open);
    assert_eq!(gate(&mut downtime, at("10:58:00")), shut(420, Cause::Daily));
}

#[test]
fn more_notices_do_not_put_off_the_probe() {
    let mut downtime = Downtime::new(false);
    downtime.maintenance(ticks(at("15:00:00")));
    downtime.maintenance(ticks(at("15:00:29")));
    assert_eq!(gate(&mut downtime, at("15:00:30")), Gate::Probe);
}

#[test]
fn maintenance_that_reaches_into_the_downtime_is_not_probed_within() {
    let mut downtime = Downtime::new(true);
    downtime.maintenance(ticks(at("10:57:50")));
    let cause = Cause::Maintenance;
    assert_eq!(gate(&mut downtime, at("10:58:20")), shut(400, cause));
    assert_eq!(gate(&mut downtime, at("11:05:00")), Gate::Probe);
}
