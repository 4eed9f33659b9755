//! Duties that one process of all on a database has: served term after term, with growing pauses between.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::clock::SharedClock;

/// Pauses between two terms, when the database or the work fails. The longest is short: whoever has mended the database
/// is not to wait for the first killmail, and a failed attempt costs next to nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A term that lasted this long was a healthy one: the next pause is short again.
const HEALTHY_TERM: Duration = Duration::from_mins(1);

/// A term ended before it was asked to.
#[derive(Debug)]
struct TermEnded<'a> {
    duty: &'static str,
    error: &'a anyhow::Error,
    pause: Duration,
}

impl TermEnded<'_> {
    fn emit(self) {
        tracing::warn!(
            duty = self.duty,
            error = format!("{:#}", self.error),
            pause_ms = self.pause.as_millis(),
            "a duty was interrupted and starts over"
        );
    }
}

/// Serves `term` after `term` until one ends well or `token` is cancelled. `state` is what terms share; `duty`
/// names them in the log. Retry: every error, after a pause.
pub async fn serve<S: Send>(
    duty: &'static str,
    clock: &SharedClock,
    token: &CancellationToken,
    mut state: S,
    term: impl for<'s> Fn(&'s mut S) -> BoxFuture<'s, anyhow::Result<()>> + Send,
) {
    let mut pauses = pauses();
    while !token.is_cancelled() {
        let started = clock.monotonic();
        let Err(error) = term(&mut state).await else {
            break;
        };
        if clock.monotonic().saturating_sub(started) >= HEALTHY_TERM {
            pauses = self::pauses();
        }
        let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
        TermEnded {
            duty,
            error: &error,
            pause,
        }
        .emit();
        // The machine's timer: the pause is about the database, not about what `clock` paces.
        tokio::select! {
            () = token.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use tokio::time::Instant;

    use super::*;
    use crate::runtime::clock::TestClock;

    fn clock() -> std::sync::Arc<TestClock> {
        TestClock::at("2026-06-01T12:00:00Z".parse().unwrap())
    }

    /// When each of five terms began; the last one ends well.
    async fn beginnings(healthy: bool) -> Vec<Duration> {
        let (clock, token) = (clock(), CancellationToken::new());
        let shared: SharedClock = clock.clone();
        let mut begun = Vec::new();
        let origin = Instant::now();
        let state = (&mut begun, clock);
        serve("testing", &shared, &token, state, |(begun, clock)| {
            begun.push(origin.elapsed());
            let last = begun.len() == 5;
            if healthy {
                clock.advance(HEALTHY_TERM);
            }
            Box::pin(async move { if last { Ok(()) } else { bail!("again") } })
        })
        .await;
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_a_term_was_healthy() {
        let failing = beginnings(false).await;
        let grown = failing[4].saturating_sub(failing[3]);
        assert!(grown >= FIRST_PAUSE * 8, "{failing:?}");
        let healthy = beginnings(true).await;
        let longest = healthy
            .windows(2)
            .map(|pair| pair[1].saturating_sub(pair[0]))
            .max();
        assert!(longest < Some(FIRST_PAUSE * 3), "{healthy:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_pause() {
        let (clock, token) = (clock(), CancellationToken::new());
        let shared: SharedClock = clock;
        let mut terms = 0;
        let state = (&mut terms, token.clone());
        serve("testing", &shared, &token, state, |(terms, token)| {
            **terms += 1;
            token.cancel();
            Box::pin(async { bail!("again") })
        })
        .await;
        assert_eq!(terms, 1);
    }
}
