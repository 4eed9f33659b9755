//! The ladder: numbers that were passed over are asked for again, ever more rarely.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use crate::ingest::events::GapsCounted;
use crate::store::gaps::{self, Gap};
use crate::store::{self, Store};

/// When a passed-over number is asked for again, after the try before. Then it is left to history.
const LADDER: [Duration; 4] = [
    Duration::from_mins(2),
    Duration::from_mins(15),
    Duration::from_hours(2),
    Duration::from_hours(20),
];

/// The first step.
pub(super) const FIRST_STEP: Duration = LADDER[0];

/// Gaps that are looked at for one that is due: those that wait are in order of their time.
const LOOK: i64 = 20;

/// Further ahead than a clock is ever off.
const AHEAD: TimeDelta = TimeDelta::days(365);

/// The gap that has been due longest, if any. A database that can't answer now has none: the pipeline
/// notices an outage by itself.
pub(super) async fn take(
    store: &Store,
    source: &str,
    now: DateTime<Utc>,
    scaled: impl Fn(Duration) -> Duration,
) -> Option<Gap> {
    match look(store, source, now, scaled).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(source, error = %error, "passed-over numbers can't be looked up");
            None
        }
    }
}

async fn look(
    store: &Store,
    source: &str,
    now: DateTime<Utc>,
    scaled: impl Fn(Duration) -> Duration,
) -> store::Result<Option<Gap>> {
    let open = gaps::open(&store.pool, source).await?;
    GapsCounted { source, open }.emit();
    if open == 0 {
        return Ok(None);
    }
    let waiting = gaps::due(&store.pool, source, now + AHEAD, LOOK).await?;
    Ok(waiting.into_iter().find(|gap| is_due(gap, now, &scaled)))
}

/// True as well for a gap that would wait longer than its step: a process whose clock was ahead has put it there.
fn is_due(gap: &Gap, now: DateTime<Utc>, scaled: impl Fn(Duration) -> Duration) -> bool {
    let done = usize::try_from(gap.attempts).unwrap_or(0);
    let step = LADDER.get(done).copied().unwrap_or_default();
    gap.next_attempt_at <= now || gap.next_attempt_at > now + scaled(step)
}

/// Puts a gap on its next step before it is tried: success closes it with the killmail's own commit, and
/// whatever else happens finds it scheduled already. False where it is not to be tried: it was closed since it was taken,
/// or the database can't answer.
pub(super) async fn step(
    store: &Store,
    gap: &Gap,
    now: DateTime<Utc>,
    scaled: impl Fn(Duration) -> Duration,
) -> bool {
    let done = usize::try_from(gap.attempts).unwrap_or(0);
    let next = LADDER
        .get(done.saturating_add(1))
        .map(|pause| now + scaled(*pause));
    match gaps::reschedule(&store.pool, &gap.source, gap.position, next).await {
        Ok(is_open) => is_open,
        Err(error) => {
            tracing::warn!(source = gap.source, error = %error, "a passed-over number can't be rescheduled");
            false
        }
    }
}

/// What the source had given for a document without a body: enough to try again without asking the source.
pub(super) fn kept(gap: &Gap) -> Option<Bytes> {
    gap.payload.clone().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::gaps::GapReason;

    #[test]
    fn a_gap_is_due_at_its_time_or_where_a_clock_was_ahead() {
        let now: DateTime<Utc> = "2026-11-01T12:00:00Z".parse().unwrap();
        let due = |attempts, seconds| {
            let gap = Gap {
                source: "r2z2".to_owned(),
                position: 7,
                reason: GapReason::Missing,
                payload: None,
                attempts,
                next_attempt_at: now + TimeDelta::seconds(seconds),
                recorded_at: now,
            };
            is_due(&gap, now, |pause| pause)
        };
        assert_eq!(
            [-1, 0, 1, 120, 121].map(|it| due(0, it)),
            [true, true, false, false, true]
        );
        assert_eq!(
            [1, 121, 900, 901].map(|it| due(1, it)),
            [false, false, false, true]
        );
    }
}
