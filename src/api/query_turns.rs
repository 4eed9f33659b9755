//! Turns at database connections for historical queries and statistics. The fewer are at work at once, the sooner each
//! is done; but a few that read long must not keep the others waiting.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long a turn may take before the next one may begin beside it: several times what a page of 100 killmails takes
/// on an idle machine.
const SHORT_TURN: Duration = Duration::from_millis(20);

/// The turns of one process.
#[derive(Debug)]
pub struct QueryTurns {
    short: Semaphore,
    long: Semaphore,
}

impl QueryTurns {
    /// So many turns at once that are short yet, and beside them so many that have turned out to be long.
    pub fn new(short: usize, long: usize) -> Self {
        Self {
            short: Semaphore::new(short),
            long: Semaphore::new(long),
        }
    }

    /// Does `work` in a turn of its own, after those who came before.
    pub async fn take<T>(&self, mut work: Pin<Box<impl Future<Output = T>>>) -> T {
        // The semaphores are never closed; without a turn the work is done all the same.
        let short = self.short.acquire().await.ok();
        if let Ok(done) = timeout(SHORT_TURN, &mut work).await {
            return done;
        }
        let _long = tokio::select! {
            done = &mut work => return done,
            long = self.long.acquire() => long.ok(),
        };
        drop(short);
        work.await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other() {
        let turns = QueryTurns::new(1, 1);
        let (end, ends) = oneshot::channel::<()>();
        let mut first = pin!(turns.take(Box::pin(ends)));
        let mut second = pin!(turns.take(Box::pin(async {})));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        end.send(()).unwrap();
        first.await.unwrap();
        second.await;
    }

    #[tokio::test]
    async fn a_long_turn_makes_way() {
        let turns = QueryTurns::new(1, 1);
        let (end, ends) = oneshot::channel::<()>();
        let first = turns.take(Box::pin(ends));
        let second = turns.take(Box::pin(async { end.send(()).unwrap() }));
        let (first, ()) = tokio::join!(first, second);
        first.unwrap();
    }

    #[tokio::test]
    async fn only_so_many_make_way() {
        let turns = QueryTurns::new(1, 1);
        let (end_long, long_ends) = oneshot::channel::<()>();
        let (begin, begins) = oneshot::channel::<()>();
        let (end_short, short_ends) = oneshot::channel::<()>();
        let long = turns.take(Box::pin(long_ends));
        let short = async {
            begin.send(()).unwrap();
            short_ends.await
        };
        let short = turns.take(Box::pin(short));
        let last = turns.take(Box::pin(async {}));
        let watch = async {
            begins.await.unwrap();
            assert_eq!(turns.short.available_permits(), 0);
            assert_eq!(turns.long.available_permits(), 0);
            // It makes way once the long one has ended.
            end_long.send(()).unwrap();
        };
        let (ended, (), ()) = tokio::join!(long, watch, async {
            let (ended, ()) = tokio::join!(short, async {
                last.await;
                end_short.send(()).unwrap();
            });
            ended.unwrap();
        });
        ended.unwrap();
    }
}
