//! How long a source has been silent while there was something to say. Pure: times come in.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Nobody fights from 11:00 UTC on, when the game's servers go down every day.
const DOWN_FROM: TimeDelta = TimeDelta::hours(11);
/// They are back within minutes; until ships are lost, and that is published, it takes longer.
const DOWN_FOR: TimeDelta = TimeDelta::minutes(30);
/// Longest span that is looked at by the day: beyond it the downtimes do not matter.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// ESI is left alone a little before that.
const QUIET_BEFORE: TimeDelta = TimeDelta::minutes(5);

/// Whether ESI is likely to be down, or left alone, as it is every day.
pub(super) fn is_downtime(now: DateTime<Utc>) -> bool {
    let from = midnight(now.date_naive()) + DOWN_FROM;
    (from - QUIET_BEFORE..from + DOWN_FOR).contains(&now)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The time from `last` to `now` without the daily downtimes in it.
pub(super) fn silence(last: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    let span = now - last;
    if span <= TimeDelta::zero() {
        return TimeDelta::zero();
    }
    if span > LONGEST {
        return span;
    }
    let days = last.date_naive().iter_days();
    let down: TimeDelta = days
        .take_while(|day| *day <= now.date_naive())
        .map(|day| {
            let from = midnight(day) + DOWN_FROM;
            let overlap = now.min(from + DOWN_FOR) - last.max(from);
            overlap.max(TimeDelta::zero())
        })
        .sum();
    span - down
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("2026-11-20T09:00:00Z", "2026-11-20T09:16:00Z", 16)]
    #[case::ahead("2026-11-20T09:16:00Z", "2026-11-20T09:00:00Z", 0)]
    #[case::within("2026-11-20T11:05:00Z", "2026-11-20T11:25:00Z", 0)]
    #[case::into("2026-11-20T10:50:00Z", "2026-11-20T11:25:00Z", 10)]
    #[case::out_of("2026-11-20T11:20:00Z", "2026-11-20T12:00:00Z", 30)]
    #[case::across("2026-11-20T10:58:00Z", "2026-11-20T11:35:00Z", 7)]
    #[case::two_of_them("2026-11-20T10:00:00Z", "2026-11-21T12:00:00Z", 26 * 60 - 60)]
    #[case::long("2026-01-01T00:00:00Z", "2026-11-20T00:00:00Z", 323 * 24 * 60)]
    fn downtimes_do_not_count(#[case] last: &str, #[case] now: &str, #[case] minutes: i64) {
        let silence = silence(last.parse().unwrap(), now.parse().unwrap());
        assert_eq!(silence, TimeDelta::minutes(minutes));
    }

    #[rstest]
    #[case("2026-11-20T10:54:59Z", false)]
    #[case("2026-11-20T10:55:00Z", true)]
    #[case("2026-11-20T11:29:59Z", true)]
    #[case("2026-11-20T11:30:00Z", false)]
    fn the_downtime_of_every_day(#[case] now: &str, #[case] is_down: bool) {
        assert_eq!(is_downtime(now.parse().unwrap()), is_down);
    }
}
