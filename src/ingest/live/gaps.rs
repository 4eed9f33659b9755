//! The ladder: numbers that were passed over are asked for again, ever more rarely.

use std::time::Duration;

use bytes::Bytes;

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

/// The gap that has been due longest, if any. A database that can't answer now has none: the pipeline
/// notices an outage by itself.
pub(super) async fn take(
    store: &Store,
    source: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<Gap> {
    match look(store, source, now).await {
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
    now: chrono::DateTime<chrono::Utc>,
) -> store::Result<Option<Gap>> {
    let open = gaps::open(&store.pool, source).await?;
    GapsCounted { source, open }.emit();
    if open == 0 {
        return Ok(None);
    }
    let due = gaps::due(&store.pool, source, now, 1).await?;
    Ok(due.into_iter().next())
}

/// Puts a gap on its next step before it is tried: success closes it with the killmail's own commit, and
/// whatever else happens finds it scheduled already. False where it is not to be tried: it was closed since it was taken,
/// or the database can't answer.
pub(super) async fn step(
    store: &Store,
    gap: &Gap,
    now: chrono::DateTime<chrono::Utc>,
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
