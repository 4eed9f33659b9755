//! Watches the replica: reads go there only while it answers and keeps up.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::FeedSequence;
use crate::feed::Feed;
use crate::runtime::clock::SharedClock;
use crate::runtime::supervisor::TaskResult;
use crate::store::{self, reads::Reads};

/// Between two looks: for so long at most a reader is sent to a replica that has just fallen behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks until the token is cancelled.
pub(super) async fn watch(
    reads: Reads,
    feed: Feed,
    clock: SharedClock,
    most_lag: Duration,
    token: CancellationToken,
) -> TaskResult {
    let mut lag = Lag::default();
    let mut standing = Standing::Unknown;
    while let Some(Some(found)) = token.run_until_cancelled(reads.look()).await {
        let primary = feed.bounds().head;
        let seen = Standing::of(&found, |head| {
            lag.seen(head, primary, clock.monotonic()) <= most_lag
        });
        reads.trust(
            found
                .as_ref()
                .ok()
                .copied()
                .filter(|_| seen == Standing::Good),
        );
        if seen != standing {
            seen.tell(found.as_ref().err());
            standing = seen;
        }
        let pause = tokio::time::sleep(LOOK_EVERY);
        if token.run_until_cancelled(pause).await.is_none() {
            break;
        }
    }
    Ok(())
}

/// How far a replica is behind.
#[derive(Debug, Default)]
struct Lag {
    /// The primary's head that it has to reach next, and the monotonic time at which that was the head.
    wanted: FeedSequence,
    since: Duration,
}

impl Lag {
    /// How long ago the primary was last where the replica is now, to a look or so.
    fn seen(&mut self, replica: FeedSequence, primary: FeedSequence, now: Duration) -> Duration {
        if replica >= self.wanted {
            self.wanted = primary;
            self.since = now;
        }
        now.saturating_sub(self.since)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Good,
    Behind,
    Away,
}

impl Standing {
    fn of(
        found: &store::Result<FeedSequence>,
        keeps_up: impl FnOnce(FeedSequence) -> bool,
    ) -> Self {
        match found {
            Ok(head) if keeps_up(*head) => Self::Good,
            Ok(_) => Self::Behind,
            Err(_) => Self::Away,
        }
    }

    fn tell(self, error: Option<&store::Error>) {
        let standing = match self {
            Self::Unknown => return,
            Self::Good => return tracing::info!("reads go to the replica"),
            Self::Behind => "it is too far behind",
            Self::Away => "it does not answer",
        };
        let error = error.map(|error| error as &(dyn std::error::Error + 'static));
        tracing::warn!(
            error,
            standing,
            "reads go to the primary, not to the replica"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_counts_from_what_the_replica_lacks() {
        let mut lag = Lag::default();
        let mut seen = |replica, primary, now| {
            let heads = (FeedSequence(replica), FeedSequence(primary));
            lag.seen(heads.0, heads.1, Duration::from_secs(now))
                .as_secs()
        };
        assert_eq!(seen(0, 10, 100), 0);
        assert_eq!(seen(9, 20, 101), 1, "10 is what it has to reach");
        assert_eq!(seen(9, 20, 107), 7);
        assert_eq!(seen(10, 30, 108), 0);
        assert_eq!(seen(30, 30, 109), 0);
        assert_eq!(seen(30, 30, 900), 0, "in a quiet night nobody is behind");
    }
}
