//! What follows from the changes that a batch made: outcomes, feed events, dead letters.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::batch::{Batch, Entry};
use super::dead_letter;
use super::envelope::{Announce, Outcome};
use super::stage::Content;
use crate::domain::FeedSequence;
use crate::store::dead_letters::DeadLetter;
use crate::store::feed::{FeedEntry, FeedKind};
use crate::store::killmails::{Change, StorableKillmail};

/// What decides whether the feed hears of a change.
#[derive(Debug)]
pub(super) struct Announcing {
    pub(super) now: DateTime<Utc>,
    /// How young a kill must be for [`Announce::IfRecent`].
    pub(super) within: TimeDelta,
}

impl Announcing {
    fn kind(
        &self,
        announce: Announce,
        change: Change,
        killmail_time: DateTime<Utc>,
    ) -> Option<FeedKind> {
        let wanted = match announce {
            Announce::Always => true,
            Announce::IfRecent => self.now - killmail_time < self.within,
            Announce::Never => false,
        };
        match change {
            Change::New if wanted => Some(FeedKind::New),
            Change::Updated if wanted => Some(FeedKind::Updated),
            Change::New | Change::Updated | Change::Unchanged | Change::Conflict => None,
        }
    }
}

/// Feed events and dead letters to write, and what will be answered once they are.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) events: Vec<FeedEntry>,
    pub(super) letters: Vec<DeadLetter>,
    verdicts: Vec<Verdict>,
    announced: HashMap<i64, usize>,
}

/// What a committed transaction made of its batch.
#[derive(Debug)]
pub(super) struct Settled {
    /// One for each entry.
    pub(super) outcomes: Vec<Outcome>,
    /// What was kept as dead letters.
    pub(super) letters: Vec<DeadLetter>,
}

/// An outcome whose sequence is not known yet.
#[derive(Debug)]
enum Verdict {
    Final(Outcome),
    Stored {
        killmail_id: i64,
        change: Change,
        /// Index of its event.
        event: Option<usize>,
    },
}

impl Plan {
    /// `changes` are by wave and slot.
    pub(super) fn of(batch: &Batch, changes: &[Vec<Change>], announcing: &Announcing) -> Self {
        let mut plan = Self::default();
        for entry in &batch.entries {
            let verdict = match &entry.content {
                Content::Killmail(slip) => {
                    let change = (changes.get(slip.wave)).and_then(|wave| wave.get(slip.slot));
                    match (change, batch.killmail(slip)) {
                        (Some(Change::Conflict), Some(_)) => plan.bury(entry, &batch.bytes(slip)),
                        (Some(change), Some(storable)) => {
                            plan.accept(entry, storable, *change, announcing)
                        }
                        _ => Verdict::Final(Outcome::Nothing),
                    }
                }
                Content::DeadLetter(letter) => plan.keep(letter.as_ref().clone()),
                Content::Deferred => Verdict::Final(Outcome::Deferred),
                Content::Expired => Verdict::Final(Outcome::Expired),
                Content::Nothing => Verdict::Final(Outcome::Nothing),
            };
            plan.verdicts.push(verdict);
        }
        plan
    }

    /// A killmail is announced once in a transaction, however often it changed in it: readers see the
    /// document as it is after the commit.
    fn accept<K>(
        &mut self,
        entry: &super::stage::Item<K>,
        storable: &StorableKillmail,
        change: Change,
        announcing: &Announcing,
    ) -> Verdict {
        let killmail = &storable.killmail;
        let killmail_id = killmail.killmail_id;
        let kind = announcing.kind(entry.ticket.announce, change, killmail.killmail_time);
        let event = kind.map(|kind| {
            *self.announced.entry(killmail_id).or_insert_with(|| {
                self.events.push(FeedEntry {
                    killmail_id,
                    killmail_time: killmail.killmail_time,
                    solar_system_id: killmail.solar_system_id,
                    kind,
                });
                self.events.len() - 1
            })
        });
        Verdict::Stored {
            killmail_id,
            change,
            event,
        }
    }

    fn bury(&mut self, entry: &Entry, bytes: &Bytes) -> Verdict {
        let reason = "this killmail id is stored with another killmail_time";
        let code = dead_letter::TIME_CONFLICT;
        self.keep(*dead_letter::write(&entry.ticket, code, reason, bytes))
    }

    fn keep(&mut self, letter: DeadLetter) -> Verdict {
        let reason = letter.reason.clone();
        self.letters.push(letter);
        Verdict::Final(Outcome::DeadLetter { reason })
    }

    /// Fills in the sequences; `last` is that of the last event, and they have no holes.
    pub(super) fn settle(self, last: Option<FeedSequence>) -> Settled {
        let events = self.events.len();
        let sequence_of = |event: usize| {
            let before_last = i64::try_from(events - 1 - event).ok()?;
            last.map(|last| FeedSequence(last.0 - before_last))
        };
        let outcomes = self.verdicts.into_iter().map(|verdict| match verdict {
            Verdict::Final(outcome) => outcome,
            Verdict::Stored {
                killmail_id,
                change,
                event,
            } => Outcome::Stored {
                killmail_id,
                change,
                sequence: event.and_then(sequence_of),
            },
        });
        Settled {
            outcomes: outcomes.collect(),
            letters: self.letters,
        }
    }
}
