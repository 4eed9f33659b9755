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

/// Pools of one server for reads. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pools {
    /// For what is found at once.
    pub reads: PgPool,
    /// For historical queries and statistics: plans as they need them, statements that end in the time they may take.
    pub history: PgPool,
}

/// The pools for reads. Cheap to clone; clones know the same of the replica.
#[derive(Debug, Clone)]
pub struct Reads {
    primary: Pools,
    replica: Option<Replica>,
    history_timeout: Duration,
}

#[derive(Debug, Clone)]
struct Replica {
    pools: Pools,
    /// The newest event of the feed that it is known to hold, or [`AWAY`].
    head: Arc<AtomicI64>,
}

/// A server, and how much of the feed it is known to hold.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Where to read.
    pub pools: &'a Pools,
    /// The replica holds everything up to here; `None` for the primary, which holds everything there is.
    pub head: Option<FeedSequence>,
}

impl Reads {
    /// Reads of the primary, and of a replica once [`Reads::look`] has found it in order. Statements of the pools for
    /// history end after `history_timeout`.
    pub fn new(primary: Pools, replica: Option<Pools>, history_timeout: Duration) -> Self {
        let replica = replica.map(|pools| Replica {
            pools,
            head: Arc::new(AtomicI64::new(AWAY)),
        });
        Self {
            primary,
            replica,
            history_timeout,
        }
    }

    /// How long a statement for history may take.
    pub fn history_timeout(&self) -> Duration {
        self.history_timeout
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

    /// The replica's pools.
    pub fn replica(&self) -> Option<&Pools> {
        self.replica.as_ref().map(|replica| &replica.pools)
    }

    /// The primary's pools for reads.
    pub fn primary(&self) -> &Pools {
        &self.primary
    }

    /// Where to read what may be as old as the replica is allowed to be.
    pub async fn any(&self) -> &Pools {
        self.holding(FeedSequence(0)).await.pools
    }

    /// Where to read what holds at least everything that the feed announced up to `needs`.
    pub async fn holding(&self, needs: FeedSequence) -> Chosen<'_> {
        if let Some(replica) = &self.replica
            && let Some(head) = self.replica_head().filter(|head| *head >= needs)
            && replica.answers().await
        {
            return Chosen {
                pools: &replica.pools,
                head: Some(head),
            };
        }
        Chosen {
            pools: &self.primary,
            head: None,
        }
    }

    /// Asks the replica how far it is. `None` where there is none.
    ///
    /// # Errors
    /// When it does not answer, or not in time.
    pub async fn look(&self) -> Option<Result<FeedSequence>> {
        let replica = self.replica.as_ref()?;
        let asked = timeout(REPLICA_PATIENCE, bounds(&replica.pools.reads)).await;
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
        let servers = [Some(&self.primary), self.replica()];
        for pools in servers.into_iter().flatten() {
            pools.reads.close().await;
            pools.history.close().await;
        }
    }
}

impl Replica {
    /// Tries for a connection, which the pool checks; a replica without one is not asked again until it was looked
    /// at.
    async fn answers(&self) -> bool {
        let answers = matches!(
            timeout(REPLICA_PATIENCE, self.pools.reads.acquire()).await,
            Ok(Ok(_))
        );
        if !answers {
            self.head.store(AWAY, Ordering::Release);
        }
        answers
    }
}
