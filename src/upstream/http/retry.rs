use std::future::IntoFuture;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use futures::future::BoxFuture;

use super::error::{Error, Retry};
use crate::runtime::clock::SharedClock;

/// How often and how patiently one request is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Attempts {
    /// Repetitions after the first try.
    pub more: usize,
    /// The first pause; each next one is twice as long.
    pub first_pause: Duration,
    /// The longest pause, and the longest `Retry-After` that is waited for on the spot.
    pub longest_pause: Duration,
}

/// Repeats `ask` while its errors are transient, and honours a server's `Retry-After` where it is not longer
/// than the longest pause.
///
/// # Errors
/// The last error: a permanent one, a ban, or a transient one that outlasted all attempts.
pub fn with_retries<T: Send + 'static>(
    clock: SharedClock,
    attempts: Attempts,
    ask: impl FnMut() -> BoxFuture<'static, Result<T, Error>> + Send + 'static,
) -> BoxFuture<'static, Result<T, Error>> {
    let pauses = ExponentialBuilder::default()
        .with_min_delay(attempts.first_pause)
        .with_max_delay(attempts.longest_pause)
        .with_max_times(attempts.more)
        .with_jitter();
    let longest = attempts.longest_pause;
    let repeated = ask
        .retry(pauses)
        .sleep(move |pause| clock.sleep(pause))
        .when(move |error| match error.retry() {
            Retry::Transient => true,
            Retry::RateLimited(wait) => wait.is_none_or(|wait| wait <= longest),
            Retry::Permanent | Retry::Banned(_) => false,
        })
        .adjust(|error, pause| match (error.retry(), pause) {
            (Retry::RateLimited(Some(wait)), Some(pause)) => Some(pause.max(wait)),
            (_, pause) => pause,
        });
    Box::pin(repeated.into_future())
}

impl Attempts {
    /// The pauses alone, without end, for loops of their own.
    pub fn pauses(self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .without_max_times()
            .with_jitter()
            .build()
    }
}
