//! Asks ESI and keeps what it says: in our tables, in the caches, and what it could not say in
//! `unresolved_ids`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::agenda::{Need, Question, keys};
use super::caches::Caches;
use super::tables::Found;
use crate::domain::names::Subject;
use crate::domain::{EntityKey, EntityKind, EntityName};
use crate::ingest::events::{AnswerNotKept, QuestionsDropped};
use crate::runtime::clock::SharedClock;
use crate::store::unresolved::{self, Ladder};
use crate::store::{self, Store, names, ship_types, systems};
use crate::upstream::esi::{EsiClient, EsiError, NamedId, Route};

/// A pause of ESI's that is waited for; a longer one sends everybody away.
const SHORT_PAUSE: Duration = Duration::from_secs(1);
/// Pilots and organisations: an hour for what ESI has not caught up with, then ever rarer, then given up.
const ENTITIES: Ladder = Ladder {
    steps: &[3_600, 86_400, 604_800],
    then: None,
};
/// Types and systems come with the next expansion at the latest.
const STATIC_DATA: Ladder = Ladder {
    steps: &[3_600],
    then: Some(86_400),
};

/// Everything that asking needs. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) esi: EsiClient,
    pub(super) store: Store,
    pub(super) caches: Arc<Caches>,
    pub(super) clock: SharedClock,
}

/// What became of questions that were under way.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) names: bool,
    pub(super) questions: Vec<Question>,
    /// Subjects that are named now and need their details.
    pub(super) more: HashSet<Subject>,
}

impl Asking {
    /// Asks for the names of entities with one request.
    pub(super) async fn names(self, questions: Vec<Question>) -> Asked {
        let mut asked = Asked {
            names: true,
            more: HashSet::new(),
            questions,
        };
        if !self.may_ask(Route::Names, asked.questions.len()).await {
            return asked;
        }
        let ids: HashSet<i64> = asked.questions.iter().map(|it| it.subject.id()).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let answer = self.esi.names(&ids).await;
        if let Some(error) = &answer.error {
            dropped(answer.unanswered.len(), error);
        }
        let named: HashMap<i64, NamedId> = answer.named.into_iter().map(|it| (it.id, it)).collect();
        let refused: HashSet<i64> = answer.refused.into_iter().collect();
        let mut found = Found::default();
        for key in keys(&asked.questions) {
            if let Some(named) = named.get(&key.id) {
                found.enrichment.names.insert(key, named_as(key, named));
            } else if refused.contains(&key.id) {
                found.resting.insert(Subject::Entity(key));
            }
        }
        asked.more = asked
            .questions
            .iter()
            .filter(|it| it.need == Need::NameAndTicker && named.contains_key(&it.subject.id()))
            .map(|it| it.subject)
            .collect();
        self.keep(found, "ESI knows no such id").await;
        asked
    }

    /// Asks for what only a request of its own tells.
    pub(super) async fn details(self, question: Question) -> Asked {
        let asked = Asked {
            names: false,
            more: HashSet::new(),
            questions: vec![question],
        };
        let subject = question.subject;
        if !self.may_ask(route(subject), 1).await {
            return asked;
        }
        match self.ask_details(subject).await {
            Ok(found) => self.keep(found, "ESI has nothing under this id").await,
            Err(error) => dropped(1, &error),
        }
        asked
    }

    async fn ask_details(&self, subject: Subject) -> Result<Found, EsiError> {
        let mut found = Found::default();
        let known = &mut found.enrichment;
        match subject {
            Subject::ShipType(id) => {
                let answer = self.esi.ship_type(id).await?.map(Arc::new);
                known.ship_types.extend(answer.map(|it| (id, it)));
            }
            Subject::SolarSystem(id) => {
                let answer = self.esi.solar_system(id).await?.map(Arc::new);
                known.solar_systems.extend(answer.map(|it| (id, it)));
            }
            Subject::Entity(key) => {
                let answer = match key.kind {
                    EntityKind::Alliance => self.esi.alliance(key.id).await?,
                    EntityKind::Corporation => self.esi.corporation(key.id).await?,
                    EntityKind::Character | EntityKind::Faction => None,
                };
                known.names.extend(answer.map(|it| (key, Arc::new(it))));
            }
        }
        if !known.knows(subject) {
            found.resting.insert(subject);
        }
        Ok(found)
    }

    /// False where ESI can't be asked soon.
    async fn may_ask(&self, route: Route, subjects: usize) -> bool {
        match self.esi.unavailable_for(route) {
            None => true,
            Some(wait) if wait <= SHORT_PAUSE => {
                self.clock.sleep(wait).await;
                true
            }
            Some(_) => {
                let reason = "ESI is not asked now";
                QuestionsDropped { subjects, reason }.emit();
                false
            }
        }
    }

    /// Writes answers to the tables and puts them into the caches. What the database does not take is only
    /// in memory then.
    async fn keep(&self, mut found: Found, reason: &str) {
        if let Err(error) = self.write(&found, reason).await {
            AnswerNotKept { error: &error }.emit();
        }
        let subjects: HashSet<Subject> = subjects(&found).collect();
        let mut before = crate::domain::Enrichment::default();
        self.caches.peek(&subjects, &mut before).await;
        for (key, name) in before.names {
            match found.enrichment.names.get_mut(&key) {
                None => {
                    found.enrichment.names.insert(key, name);
                }
                Some(now) if now.ticker.is_none() && name.ticker.is_some() => {
                    *now = Arc::new(EntityName {
                        ticker: name.ticker.clone(),
                        ..now.as_ref().clone()
                    });
                }
                Some(_) => {}
            }
        }
        self.caches.remember(subjects.into_iter(), &found).await;
    }

    async fn write(&self, found: &Found, reason: &str) -> store::Result<()> {
        let pool = &self.store.pool;
        let known = &found.enrichment;
        if !known.names.is_empty() {
            let rows: Vec<_> = (known.names.iter())
                .map(|(key, name)| (*key, name.as_ref().clone()))
                .collect();
            names::upsert(pool, &rows).await?;
        }
        if !known.ship_types.is_empty() {
            let rows: Vec<_> = known.ship_types.values().map(|it| (**it).clone()).collect();
            ship_types::upsert(pool, &rows).await?;
        }
        if !known.solar_systems.is_empty() {
            let rows: Vec<_> = (known.solar_systems.values())
                .map(|it| (**it).clone())
                .collect();
            systems::upsert(pool, &rows).await?;
        }
        let settled: Vec<Subject> = subjects(found)
            .filter(|subject| known.knows(*subject))
            .collect();
        if !settled.is_empty() {
            unresolved::forget(pool, &settled).await?;
        }
        let (entities, others): (Vec<Subject>, Vec<Subject>) = (found.resting.iter().copied())
            .partition(|subject| matches!(subject, Subject::Entity(_)));
        for (refused, ladder) in [(entities, ENTITIES), (others, STATIC_DATA)] {
            if !refused.is_empty() {
                unresolved::record(pool, &refused, reason, ladder, self.clock.now()).await?;
            }
        }
        Ok(())
    }
}

fn subjects(found: &Found) -> impl Iterator<Item = Subject> + '_ {
    let known = &found.enrichment;
    let entities = known.names.keys().map(|key| Subject::Entity(*key));
    let types = known.ship_types.keys().map(|id| Subject::ShipType(*id));
    let systems = known
        .solar_systems
        .keys()
        .map(|id| Subject::SolarSystem(*id));
    let refused = found.resting.iter().copied();
    entities.chain(types).chain(systems).chain(refused)
}

fn named_as(key: EntityKey, named: &NamedId) -> Arc<EntityName> {
    if named.category != key.kind.as_str() {
        tracing::debug!(
            id = key.id,
            kind = key.kind.as_str(),
            category = named.category,
            "ESI calls it something else"
        );
    }
    Arc::new(EntityName {
        name: named.name.clone(),
        ticker: None,
    })
}

fn route(subject: Subject) -> Route {
    match subject {
        Subject::ShipType(_) => Route::ShipType,
        Subject::SolarSystem(_) => Route::SolarSystem,
        Subject::Entity(key) => match key.kind {
            EntityKind::Alliance => Route::Alliance,
            EntityKind::Corporation => Route::Corporation,
            EntityKind::Character | EntityKind::Faction => Route::Names,
        },
    }
}

fn dropped(subjects: usize, error: &EsiError) {
    let reason = error.to_string();
    QuestionsDropped {
        subjects,
        reason: &reason,
    }
    .emit();
}
