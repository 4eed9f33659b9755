use std::sync::Arc;

use futures::Stream;
use tokio::sync::oneshot;

use crate::domain::{FeedSequence, Filter, Killmail};
use crate::feed::{self, Feed, FeedEvent};
use crate::ingest::{Announce, Envelope, Outcome, Payload, PipelineInput};
use crate::runtime::clock::SharedClock;
use crate::store::killmails::{self, StoredKillmail};
use crate::store::{self, Store};

/// The in-process interface of a running service. Clones share it.
#[derive(Debug, Clone)]
pub struct Handle {
    feed: Feed,
    store: Store,
    input: PipelineInput,
    clock: SharedClock,
}

/// Why a call on a [`Handle`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// The service has stopped; the killmail may or may not be stored, and can be given again.
    #[error("the service has stopped")]
    Stopped,
    /// The database failed.
    #[error("reading killmail {killmail_id} failed")]
    Read {
        /// Which killmail.
        killmail_id: i64,
        /// What the store said.
        #[source]
        source: store::Error,
    },
}

impl Handle {
    pub(super) fn new(feed: Feed, store: Store, input: PipelineInput, clock: SharedClock) -> Self {
        Self {
            feed,
            store,
            input,
            clock,
        }
    }

    /// Matching events after `cursor`, then live ones as they are committed, in order, each once. `None`
    /// starts with the next event; a cursor of 0 with the oldest kept one. Ends when the service stops.
    pub fn feed(
        &self,
        cursor: Option<FeedSequence>,
        filter: Filter,
    ) -> impl Stream<Item = feed::Result<Arc<FeedEvent>>> + Send + use<> {
        self.feed.reader(cursor, filter).into_stream()
    }

    /// One stored killmail, items included; `None` when it is not stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn killmail(&self, killmail_id: i64) -> Result<Option<StoredKillmail>, HandleError> {
        killmails::find(&self.store.reads, killmail_id, true)
            .await
            .map_err(|source| HandleError::Read {
                killmail_id,
                source,
            })
    }

    /// Stores a killmail, enriched, and announces it on the feed if it is new or changed. Returns after
    /// the commit.
    ///
    /// # Errors
    /// When the service stops before the commit.
    pub async fn ingest(&self, killmail: Killmail) -> Result<Outcome, HandleError> {
        let (done, outcome) = oneshot::channel();
        let envelope = Envelope {
            source: "library",
            origin: format!("killmail {}", killmail.killmail_id),
            payload: Payload::Killmail(Box::new(killmail)),
            received_at: self.clock.now(),
            announce: Announce::Always,
            cursor: None,
            gaps: Vec::new(),
            closes_gap: None,
            done: Some(done),
        };
        self.input
            .send(envelope)
            .await
            .map_err(|_| HandleError::Stopped)?;
        outcome.await.map_err(|_| HandleError::Stopped)
    }
}
