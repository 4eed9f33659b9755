//! What tail and readers need of the database, as one narrow seam.

use std::fmt;

use futures::future::BoxFuture;

use crate::domain::FeedSequence;
use crate::store::feed::{self, Bounds, FeedRow};
use crate::store::{Result, Store};

/// The log as it is stored. Boxed futures keep those of the readers small.
pub(super) trait Log: Send + Sync + fmt::Debug {
    /// The log's ends.
    fn bounds(&self) -> BoxFuture<'_, Result<Bounds>>;

    /// Events after a cursor, oldest first.
    fn page(&self, after: FeedSequence, limit: usize) -> BoxFuture<'_, Result<Vec<FeedRow>>>;

    /// Events after a cursor in some systems, oldest first.
    fn page_in_systems<'a>(
        &'a self,
        after: FeedSequence,
        systems: &'a [i64],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<FeedRow>>>;
}

/// Always the primary: a replica may not have yet what a notification announced.
impl Log for Store {
    fn bounds(&self) -> BoxFuture<'_, Result<Bounds>> {
        Box::pin(feed::bounds(&self.pool))
    }

    fn page(&self, after: FeedSequence, limit: usize) -> BoxFuture<'_, Result<Vec<FeedRow>>> {
        Box::pin(feed::page(&self.pool, after, rows(limit)))
    }

    fn page_in_systems<'a>(
        &'a self,
        after: FeedSequence,
        systems: &'a [i64],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<FeedRow>>> {
        Box::pin(feed::page_in_systems(
            &self.pool,
            after,
            systems,
            rows(limit),
        ))
    }
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
