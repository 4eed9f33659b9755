//! What is still to be asked, in which order. Pure: no time, no network.

use std::collections::{BTreeMap, HashMap};

use super::Urgency;
use crate::domain::names::Subject;
use crate::domain::{EntityKey, EntityKind};

/// What is asked about a subject; each answers the ones before it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Its name.
    Name,
    /// Its name, then its ticker.
    NameAndTicker,
    /// What only a request of its own tells: name and ticker at once, a type, a system.
    Details,
}

/// One subject and what is asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) subject: Subject,
    pub(super) need: Need,
    pub(super) urgency: Urgency,
    pub(super) foremost: bool,
}

/// The more urgent, the foremost, the earlier is less.
type Rank = (Urgency, bool, u64);

/// Questions that wait, and those under way; each subject once.
#[derive(Debug)]
pub(super) struct Agenda {
    limit: usize,
    arrivals: u64,
    names: BTreeMap<Rank, Question>,
    details: BTreeMap<Rank, Question>,
    places: HashMap<Subject, Place>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Waiting(Rank, Need),
    UnderWay,
}

impl Question {
    /// What is asked about `subject`, of which `named` tells whether its name is known.
    pub(super) fn of(subject: Subject, named: bool, urgency: Urgency, foremost: bool) -> Self {
        let need = match subject {
            Subject::Entity(key) => match key.kind {
                EntityKind::Corporation | EntityKind::Alliance if named => Need::Details,
                EntityKind::Corporation | EntityKind::Alliance => Need::NameAndTicker,
                EntityKind::Character | EntityKind::Faction => Need::Name,
            },
            Subject::ShipType(_) | Subject::SolarSystem(_) => Need::Details,
        };
        Self {
            subject,
            need,
            urgency,
            foremost,
        }
    }
}

impl Agenda {
    /// Keeps at most `limit` subjects, those under way included.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            arrivals: 0,
            names: BTreeMap::new(),
            details: BTreeMap::new(),
            places: HashMap::new(),
        }
    }

    /// Takes a question in, or moves it up where it is more urgent than before. Returns the subject that
    /// had to go for it, which may be its own.
    pub(super) fn add(&mut self, mut question: Question) -> Option<Subject> {
        let mut rank = (question.urgency, !question.foremost, self.arrivals);
        self.arrivals += 1;
        match self.places.get(&question.subject).copied() {
            Some(Place::UnderWay) => return None,
            Some(Place::Waiting(before, need)) => {
                question.need = question.need.max(need);
                rank = rank.min(before);
                (question.urgency, question.foremost) = (rank.0, !rank.1);
                self.queue(need).remove(&before);
            }
            None => {}
        }
        let place = Place::Waiting(rank, question.need);
        self.places.insert(question.subject, place);
        self.queue(question.need).insert(rank, question);
        if self.places.len() > self.limit {
            return self.drop_last();
        }
        None
    }

    /// The next entities to name, of at most `most` distinct ids; they are under way from now on.
    pub(super) fn next_names(&mut self, most: usize) -> Vec<Question> {
        let mut ids = std::collections::HashSet::new();
        let mut taken = Vec::new();
        while let Some((rank, question)) = self.names.pop_first() {
            if ids.len() == most && !ids.contains(&question.subject.id()) {
                self.names.insert(rank, question);
                break;
            }
            ids.insert(question.subject.id());
            self.places.insert(question.subject, Place::UnderWay);
            taken.push(question);
        }
        taken
    }

    /// The next subject with a request of its own; it is under way from now on.
    pub(super) fn next_details(&mut self) -> Option<Question> {
        let (_, question) = self.details.pop_first()?;
        self.places.insert(question.subject, Place::UnderWay);
        Some(question)
    }

    /// Puts a question that is under way back to wait for another need.
    pub(super) fn again(&mut self, question: Question) -> Option<Subject> {
        self.settle(question.subject);
        self.add(question)
    }

    /// A subject that was under way has its answer, or none.
    pub(super) fn settle(&mut self, subject: Subject) {
        if let Some(Place::UnderWay) = self.places.get(&subject) {
            self.places.remove(&subject);
        }
    }

    /// True while a subject waits or is under way.
    pub(super) fn holds(&self, subject: Subject) -> bool {
        self.places.contains_key(&subject)
    }

    fn queue(&mut self, need: Need) -> &mut BTreeMap<Rank, Question> {
        match need {
            Need::Name | Need::NameAndTicker => &mut self.names,
            Need::Details => &mut self.details,
        }
    }

    fn drop_last(&mut self) -> Option<Subject> {
        let name = self.names.last_key_value().map(|(rank, _)| *rank);
        let detail = self.details.last_key_value().map(|(rank, _)| *rank);
        let (_, dropped) = if name > detail {
            self.names.pop_last()?
        } else {
            self.details.pop_last()?
        };
        self.places.remove(&dropped.subject);
        Some(dropped.subject)
    }
}

/// The keys among `questions`.
pub(super) fn keys(questions: &[Question]) -> impl Iterator<Item = EntityKey> + '_ {
    questions
        .iter()
        .filter_map(|question| match question.subject {
            Subject::Entity(key) => Some(key),
            Subject::ShipType(_) | Subject::SolarSystem(_) => None,
        })
}

#[cfg(test)]
mod tests;
