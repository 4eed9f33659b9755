//! The one ladder on which the stages wait for a database that is away.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// First step: a dropped connection or a deadlock is usually gone by then.
const FIRST_STEP: Duration = Duration::from_millis(100);

/// Longest step: after an outage of any length, work goes on within this time of its end.
pub(super) const LONGEST_STEP: Duration = Duration::from_secs(10);

/// Waits that double from [`FIRST_STEP`] to [`LONGEST_STEP`] with jitter, without end: giving up would
/// only move the same wait into the source.
pub(super) fn ladder() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_STEP)
        .with_max_delay(LONGEST_STEP)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

/// The ladder's next step.
pub(super) fn next_step(ladder: &mut ExponentialBackoff) -> Duration {
    ladder.next().unwrap_or(LONGEST_STEP)
}
