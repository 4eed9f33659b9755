//! The one who asks: takes questions in, keeps the agenda, wakes who waits.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Urgency;
use super::agenda::{Agenda, Need, Question};
use super::asking::{Asked, Asking};
use crate::domain::Enrichment;
use crate::domain::names::Subject;

/// Lists of questions that wait for the worker, which never waits itself: a burst at most.
pub(super) const QUEUE: usize = 256;
/// Subjects on the agenda, some 200 bytes each. Ten minutes of asking; later ones come back by themselves.
const SUBJECTS: usize = 50_000;
/// The most ids that ESI names at once.
const NAMES_AT_ONCE: usize = 1_000;
/// Requests for single subjects under way: as many as ESI's budget lets through.
const DETAILS_AT_ONCE: usize = 8;

/// Questions, and who waits for them.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) questions: Vec<Question>,
    /// Dropped once all are settled.
    pub(super) done: Option<oneshot::Sender<()>>,
}

#[derive(Debug)]
struct Waiter {
    left: usize,
    done: oneshot::Sender<()>,
}

/// Input: questions. Output: filled tables and caches. Retry: none, since whoever still lacks an answer
/// asks again. End: when `token` is cancelled.
pub(super) struct Worker {
    asking: Asking,
    agenda: Agenda,
    waiters: HashMap<u64, Waiter>,
    waiting_for: HashMap<Subject, Vec<u64>>,
    next_waiter: u64,
    under_way: FuturesUnordered<BoxFuture<'static, Asked>>,
    names_under_way: bool,
    details_under_way: usize,
}

impl Worker {
    pub(super) fn new(asking: Asking) -> Self {
        Self {
            asking,
            agenda: Agenda::new(SUBJECTS),
            waiters: HashMap::new(),
            waiting_for: HashMap::new(),
            next_waiter: 0,
            under_way: FuturesUnordered::new(),
            names_under_way: false,
            details_under_way: 0,
        }
    }

    pub(super) async fn run(
        mut self,
        mut input: mpsc::Receiver<Ask>,
        token: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                Some(ask) = input.recv() => {
                    self.take(ask).await;
                    while let Ok(ask) = input.try_recv() {
                        self.take(ask).await;
                    }
                }
                Some(asked) = self.under_way.next() => self.settle(asked),
                else => {
                    token.cancelled().await;
                    return Ok(());
                }
            }
            self.send();
        }
    }

    async fn take(&mut self, ask: Ask) {
        let mut dropped = Vec::new();
        let mut subjects = HashSet::new();
        let answered = self.answered(&ask.questions).await;
        for question in ask.questions {
            if question.urgency != Urgency::Refresh && answered.knows(question.subject) {
                continue;
            }
            subjects.insert(question.subject);
            dropped.extend(self.agenda.add(question));
        }
        if let Some(done) = ask.done {
            subjects.retain(|subject| self.agenda.holds(*subject));
            if !subjects.is_empty() {
                let id = self.next_waiter;
                self.next_waiter += 1;
                let left = subjects.len();
                self.waiters.insert(id, Waiter { left, done });
                for subject in subjects {
                    self.waiting_for.entry(subject).or_default().push(id);
                }
            }
        }
        for subject in dropped {
            self.wake(subject);
        }
    }

    /// What has been answered since the questions were put.
    async fn answered(&mut self, questions: &[Question]) -> Enrichment {
        let subjects = questions.iter().map(|question| question.subject);
        let settled = subjects.filter(|subject| !self.agenda.holds(*subject));
        let mut known = Enrichment::default();
        (self.asking.caches)
            .peek(&settled.collect(), &mut known)
            .await;
        known
    }

    /// Sends what may be sent now.
    fn send(&mut self) {
        if !self.names_under_way {
            let questions = self.agenda.next_names(NAMES_AT_ONCE);
            if !questions.is_empty() {
                self.names_under_way = true;
                let asking = self.asking.clone();
                self.under_way.push(Box::pin(asking.names(questions)));
            }
        }
        while self.details_under_way < DETAILS_AT_ONCE {
            let Some(question) = self.agenda.next_details() else {
                return;
            };
            self.details_under_way += 1;
            let asking = self.asking.clone();
            self.under_way.push(Box::pin(asking.details(question)));
        }
    }

    fn settle(&mut self, asked: Asked) {
        if asked.names {
            self.names_under_way = false;
        } else {
            self.details_under_way = self.details_under_way.saturating_sub(1);
        }
        for question in asked.questions {
            if asked.more.contains(&question.subject) {
                let dropped = self.agenda.again(Question {
                    need: Need::Details,
                    ..question
                });
                if let Some(subject) = dropped {
                    self.wake(subject);
                }
            } else {
                self.agenda.settle(question.subject);
                self.wake(question.subject);
            }
        }
    }

    fn wake(&mut self, subject: Subject) {
        for id in self.waiting_for.remove(&subject).unwrap_or_default() {
            let Some(waiter) = self.waiters.get_mut(&id) else {
                continue;
            };
            waiter.left = waiter.left.saturating_sub(1);
            if waiter.left == 0
                && let Some(waiter) = self.waiters.remove(&id)
            {
                // Nobody listens any more where the wait was over before.
                waiter.done.send(()).ok();
            }
        }
    }
}
