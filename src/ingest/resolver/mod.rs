//! What ids mean: memory first, then our own tables, ESI last.

mod agenda;
mod asking;
mod cache;
mod caches;
pub(super) mod tables;
mod worker;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub use caches::CacheSize;

use agenda::{Need, Question};
use asking::Asking;
use caches::Caches;
use tables::{Found, LookUp, Tables};
use worker::{Ask, QUEUE, Worker};

use crate::domain::names::{Subject, Wanted};
use crate::domain::{Enrichment, Killmail};
use crate::runtime::clock::SharedClock;
use crate::store::{self, Store};
use crate::upstream::esi::{EsiClient, Route};

/// What is known of some ids.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Names, types and places.
    pub enrichment: Enrichment,
    /// Ids that nobody could name and that are not asked for again.
    pub given_up: HashSet<Subject>,
    /// Ids that nobody could name and that are not asked for again yet.
    pub resting: HashSet<Subject>,
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
    worker: Option<mpsc::Sender<Ask>>,
    esi: Option<EsiClient>,
}

impl Resolved {
    fn lacks(&self, subject: Subject) -> bool {
        !self.enrichment.knows(subject)
            && !self.given_up.contains(&subject)
            && !self.resting.contains(&subject)
    }

    fn is_named(&self, subject: Subject) -> bool {
        matches!(subject, Subject::Entity(key) if self.enrichment.names.contains_key(&key))
    }

    /// True where nothing more can be learnt of `killmail`.
    pub fn is_complete(&self, killmail: &Killmail) -> bool {
        killmail
            .subjects()
            .all(|subject| self.enrichment.knows(subject) || self.given_up.contains(&subject))
    }
}

impl Resolver {
    /// Asks memory and our tables only.
    pub fn local(store: Store, clock: SharedClock) -> Self {
        Self::looking_up(Arc::new(Tables::new(store, clock)))
    }

    pub(super) fn looking_up(tables: Arc<dyn LookUp>) -> Self {
        Self {
            caches: Arc::new(Caches::new()),
            tables,
            worker: None,
            esi: None,
        }
    }

    /// Asks ESI as well. The future does that until `token` is cancelled, and belongs under a supervisor.
    pub fn with_esi(
        store: Store,
        clock: SharedClock,
        esi: EsiClient,
        token: CancellationToken,
    ) -> (Self, BoxFuture<'static, anyhow::Result<()>>) {
        let (sender, input) = mpsc::channel(QUEUE);
        let resolver = Self {
            worker: Some(sender),
            esi: Some(esi.clone()),
            ..Self::local(store.clone(), Arc::clone(&clock))
        };
        let worker = Worker::new(Asking {
            esi,
            store,
            caches: Arc::clone(&resolver.caches),
            clock,
        });
        (resolver, Box::pin(worker.run(input, token)))
    }

    /// What memory and our tables know of `wanted`. Names that are known since long are used, and asked for
    /// anew beside.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known(&self, wanted: &Wanted) -> store::Result<Resolved> {
        let mut known = Found::default();
        let (askable, never): (Vec<Subject>, Vec<Subject>) =
            wanted.subjects().partition(|it| it.can_be_asked());
        let missing = self
            .caches
            .take_known(&askable.into_iter().collect(), &mut known)
            .await;
        if !missing.is_empty() {
            let found = self.tables.find(&missing).await?;
            self.caches.remember(missing.subjects(), &found).await;
            self.refresh(&found);
            known.enrichment.extend(found.enrichment);
            known.resting.extend(found.resting);
            known.given_up.extend(found.given_up);
        }
        known.given_up.extend(never);
        Ok(Resolved {
            enrichment: known.enrichment,
            given_up: known.given_up,
            resting: known.resting,
        })
    }

    /// Asks ESI for those of `questions` that `resolved` does not know, waits for at most `wait`, and adds
    /// what has come by then. Questions go on being answered after that; the answers are found in memory
    /// and in our tables later. Returns at once where ESI can't be asked in time.
    pub async fn ask(&self, resolved: &mut Resolved, questions: Questions, wait: Duration) {
        let Some(worker) = &self.worker else {
            return;
        };
        let listed = [(&questions.foremost, true), (&questions.rest, false)];
        let list: Vec<Question> = listed
            .into_iter()
            .flat_map(|(wanted, foremost)| wanted.subjects().map(move |it| (it, foremost)))
            .filter(|(subject, _)| resolved.lacks(*subject))
            .map(|(subject, foremost)| {
                let named = resolved.is_named(subject);
                Question::of(subject, named, questions.urgency, foremost)
            })
            .collect();
        if list.is_empty() {
            return;
        }
        let subjects: HashSet<Subject> = list.iter().map(|it| it.subject).collect();
        let (done, answered) = oneshot::channel();
        let asked = async {
            let ask = Ask {
                questions: list,
                done: Some(done),
            };
            if worker.send(ask).await.is_ok() {
                answered.await.ok();
            }
        };
        // Real time, whatever the clock: nothing may hold a killmail longer.
        tokio::time::timeout(wait, asked).await.ok();
        (self.caches)
            .peek(&subjects, &mut resolved.enrichment)
            .await;
    }

    /// True where ESI is asked at all.
    pub fn asks_esi(&self) -> bool {
        self.esi.is_some()
    }

    /// True where ESI can be asked for names now.
    pub fn can_ask(&self) -> bool {
        (self.esi.as_ref()).is_some_and(|esi| esi.unavailable_for(Route::Names).is_none())
    }

    /// Entries and bytes of each cache in memory.
    pub fn cache_sizes(&self) -> [CacheSize; 3] {
        self.caches.sizes()
    }

    /// A full queue drops it: the name is asked for again when it has left the cache.
    fn refresh(&self, found: &Found) {
        let Some(worker) = &self.worker else {
            return;
        };
        let questions: Vec<Question> = (found.stale.iter())
            .map(|key| Question {
                subject: Subject::Entity(*key),
                need: Need::Name,
                urgency: Urgency::Refresh,
                foremost: false,
            })
            .filter(|it| {
                !found.resting.contains(&it.subject) && !found.given_up.contains(&it.subject)
            })
            .collect();
        if !questions.is_empty() {
            let done = None;
            worker.try_send(Ask { questions, done }).ok();
        }
    }
}
