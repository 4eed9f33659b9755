//! Where reads go: to the replica while it can be trusted, to the primary otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::timeout;

use super::feed::bounds;
use super::{Error, Result};
use crate::domain::FeedSequence;

/// How long a read waits for a connection of the replica before it goes to the primary instead: a replica on the
/// same network answers within milliseconds.
const REPLICA_PATIENCE: Duration = Duration::from_secs(1);

/// Stands where the replica's head would, while nothing may be read there.
const AWAY: i64 = -1;

/// The pools for reads. Cheap to clone; clones know the same of the replica.
#[derive(Debug, Clone)]
pub struct Reads {
    primary: PgPool,
    replica: Option<Replica>,
}

#[derive(Debug, Clone)]
struct Replica {
    pool: PgPool,
    /// The newest event of the feed that it is known to hold, or [`AWAY`].
    head: Arc<AtomicI64>,
}

/// A pool, and how much of the feed it is known to hold.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Where to read.
    pub pool: &'a PgPool,
    /// The replica holds everything up to here; `None` for the primary, which holds everything there is.
    pub head: Option<FeedSequence>,
}

impl Reads {
    /// Reads of the primary, and of a replica once [`Reads::look`] has found it in order.
    pub fn new(primary: PgPool, replica: Option<PgPool>) -> Self {
        let replica = replica.map(|pool| Replica {
            pool,
            head: Arc::new(AtomicI64::new(AWAY)),
        });
        Self { primary, replica }
    }

    /// There is a replica, in order or not.
    pub fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// The newest event of the feed that the replica is known to hold; `None` while it is not read from.
    pub fn replica_head(&self) -> Option<FeedSequence> {
        let head = self.replica.as_ref()?.head.load(Ordering::Acquire);
        (head != AWAY).then_some(FeedSequence(head))
    }

    /// The replica's pool.
    pub fn replica(&self) -> Option<&PgPool> {
        self.replica.as_ref().map(|replica| &replica.pool)
    }

    /// The primary's pool for reads.
    pub fn primary(&self) -> &PgPool {
        &self.primary
    }

    /// Where to read what may be as old as the replica is allowed to be.
    pub async fn any(&self) -> &PgPool {
        self.holding(FeedSequence(0)).await.pool
    }

    /// Where to read what holds at least everything that the feed announced up to `needs`.
    pub async fn holding(&self, needs: FeedSequence) -> Chosen<'_> {
        if let Some(replica) = &self.replica
            && let Some(head) = self.replica_head().filter(|head| *head >= needs)
            && replica.answers().await
        {
            return Chosen {
                pool: &replica.pool,
                head: Some(head),
            };
        }
        Chosen {
            pool: &self.primary,
            head: None,
        }
    }

    /// Asks the replica how far it is. `None` where there is none.
    ///
    /// # Errors
    /// When it does not answer, or not in time.
    pub async fn look(&self) -> Option<Result<FeedSequence>> {
        let replica = self.replica.as_ref()?;
        let asked = timeout(REPLICA_PATIENCE, bounds(&replica.pool)).await;
        Some(match asked {
            Ok(found) => found.map(|found| found.head),
            Err(_) => Err(Error::query("asking the replica")(
                sqlx::Error::PoolTimedOut,
            )),
        })
    }

    /// Reads may go to the replica, which holds everything up to `head`; with `None` they go to the primary.
    pub fn trust(&self, head: Option<FeedSequence>) {
        if let Some(replica) = &self.replica {
            let head = head.map_or(AWAY, |head| head.0);
            replica.head.store(head, Ordering::Release);
        }
    }

    /// Closes the pools.
    pub async fn close(&self) {
        self.primary.close().await;
        if let Some(replica) = &self.replica {
            replica.pool.close().await;
        }
    }
}

impl Replica {
    /// Tries for a connection, which the pool checks; a replica without one is not asked again until it was looked
    /// at.
    async fn answers(&self) -> bool {
        let answers = matches!(
            timeout(REPLICA_PATIENCE, self.pool.acquire()).await,
            Ok(Ok(_))
        );
        if !answers {
            self.head.store(AWAY, Ordering::Release);
        }
        answers
    }
}
