use std::time::Duration;

use super::limits::PolicyLimits;
use super::pauses::Pauses;
use super::start::{Hole, Start};
use super::step::{Alert, Answer, Ask, Effects, HeadAnswer, Next, PassedOver, Position, Why};
use crate::upstream::http::Retry;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Asking `sequence.json` where to begin.
    Boot,
    /// Asking for the next number.
    Follow,
    /// Begun where a young server has nothing yet: looking for its first number.
    Search {
        /// Not there.
        missing: i64,
        /// There, or said to be.
        found: i64,
    },
    /// Stuck: asking `sequence.json` whether there is more.
    Evidence,
    /// Stuck: asking for the last number again; it may have been reused, or never have been.
    Recheck,
    /// Stuck: asking for a number this far beyond.
    Probe(i64),
}

/// Decides what the R2Z2 consumer does next. Pure: answers and the time come in, decisions go out.
///
/// Time is monotonic and counted from any fixed moment.
#[derive(Debug)]
pub struct Policy {
    pub(super) limits: PolicyLimits,
    pub(super) pauses: Pauses,
    pub(super) start: Start,
    pub(super) phase: Phase,
    /// The number to ask for.
    pub(super) next: i64,
    /// Since when `next` has not been answered with a document.
    pub(super) missing_since: Option<Duration>,
    /// The number before `next` was passed over because it was missing: no document came since.
    pub(super) in_missing_run: bool,
    /// What `sequence.json` last said, and when.
    pub(super) head: Option<(i64, Duration)>,
    pub(super) evidence_at: Option<Duration>,
    /// The probe to send after the next 404.
    pub(super) next_probe: Option<i64>,
    /// `sequence.json` is far behind, and the last number may turn out not to exist.
    pub(super) head_far_behind: bool,
    /// Tries of `next` that brought something unreadable.
    unreadable: u32,
    /// A document has come since the start.
    pub(super) delivered: bool,
    progress_at: Duration,
    alerted_at: Duration,
}

impl Policy {
    /// A consumer that begins at `start`; `seed` feeds its jitter.
    pub fn new(limits: PolicyLimits, start: Start, now: Duration, seed: u64) -> Self {
        Self {
            limits,
            pauses: Pauses::new(limits, seed),
            start,
            phase: Phase::Boot,
            next: 1,
            missing_since: None,
            in_missing_run: false,
            head: None,
            evidence_at: None,
            next_probe: None,
            head_far_behind: false,
            unreadable: 0,
            delivered: false,
            progress_at: now,
            alerted_at: now,
        }
    }

    /// The next step.
    pub fn next(&self) -> Next {
        let ask = match self.phase {
            Phase::Boot | Phase::Evidence => Ask::Head,
            Phase::Follow => Ask::Document(self.next),
            Phase::Search { missing, found } => Ask::Document(missing.midpoint(found)),
            Phase::Recheck => Ask::Document(self.next.saturating_sub(1)),
            Phase::Probe(ahead) => Ask::Document(self.next.saturating_add(ahead)),
        };
        Next {
            wait: self.pauses.wait(),
            ask,
        }
    }

    /// True while it waits for numbers that are not there yet: time for other requests.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Follow && self.missing_since.is_some() && self.pauses.failures() == 0
    }

    /// How far behind `sequence.json` the next number is; negative where it is ahead, as it normally is.
    pub fn lag(&self) -> Option<i64> {
        self.head
            .map(|(head, _)| head.saturating_sub(self.next).saturating_add(1))
    }

    /// Takes the answer to [`Ask::Head`].
    pub fn on_head(&mut self, now: Duration, answer: HeadAnswer) -> Effects {
        let mut effects = Effects::default();
        match answer {
            HeadAnswer::Number(head) => {
                self.pauses.after_document();
                self.head = Some((head, now));
                if self.phase == Phase::Boot {
                    self.begin(head, &mut effects);
                } else {
                    self.weigh(now, head, &mut effects);
                }
            }
            HeadAnswer::Failed(retry) => {
                effects.alert = self.pauses.after_failure(retry);
                if self.phase == Phase::Boot {
                    if let Some(next) = self.start.without_head() {
                        self.next = next;
                        self.phase = Phase::Follow;
                    }
                } else {
                    self.head_far_behind = false;
                    self.phase = Phase::Recheck;
                }
            }
        }
        effects
    }

    /// Takes the answer to [`Ask::Document`].
    pub fn on_document(&mut self, now: Duration, answer: Answer) -> Effects {
        let mut effects = match (self.phase, answer) {
            (Phase::Search { missing, found }, answer) => self.on_search(missing, found, answer),
            (Phase::Recheck, answer) => self.on_recheck(now, answer),
            (Phase::Probe(ahead), answer) => self.on_probe(now, ahead, answer),
            (
                _,
                Answer::Document {
                    number,
                    updated,
                    readable,
                },
            ) => self.on_followed(now, number, updated, readable),
            (_, Answer::Unreadable | Answer::Failed(Retry::Permanent)) => {
                self.on_unreadable(now, Why::Garbage)
            }
            (_, Answer::Missing) => self.on_missing(now),
            (_, Answer::Failed(retry)) => self.on_failed(now, retry),
        };
        if effects.alert.is_none() {
            effects.alert = self.staleness(now);
        }
        effects
    }

    /// Takes the answer to a request that was squeezed in between (a gap's retry): it moves nothing, but the
    /// next request waits for it as for any other.
    pub fn on_aside(&mut self, answer: Answer) -> Option<Alert> {
        match answer {
            Answer::Document { .. } => self.pauses.after_document(),
            Answer::Missing => self.pauses.after_missing(),
            Answer::Unreadable | Answer::Failed(Retry::Permanent) => {
                return self.pauses.after_failure(Retry::Transient);
            }
            Answer::Failed(retry) => return self.pauses.after_failure(retry),
        }
        None
    }

    fn begin(&mut self, head: i64, effects: &mut Effects) {
        let (next, hole) = self.start.first(head);
        self.next = next;
        self.phase = Phase::Follow;
        skip(hole, effects);
    }

    fn on_followed(
        &mut self,
        now: Duration,
        number: Option<i64>,
        updated: Option<i64>,
        readable: bool,
    ) -> Effects {
        if number.is_some_and(|number| number != self.next) {
            // A stale edge may hold another number's document; it is delivered when nothing better comes.
            return self.on_unreadable(now, Why::Missing);
        }
        if !readable && number.is_none() {
            return self.on_unreadable(now, Why::Garbage);
        }
        let mut effects = self.deliver(now, self.next);
        if !readable {
            effects.passed_over.push(PassedOver {
                number: self.next,
                reason: Why::Garbage,
            });
        }
        effects.passed_over.extend(self.again(updated));
        self.go_on_at(self.next.saturating_add(1));
        effects
    }

    fn on_unreadable(&mut self, now: Duration, reason: Why) -> Effects {
        self.missing_since.get_or_insert(now);
        self.unreadable = self.unreadable.saturating_add(1);
        if self.unreadable < PolicyLimits::UNREADABLE_TRIES {
            let alert = self.pauses.after_failure(Retry::Transient);
            return Effects {
                alert,
                ..Effects::default()
            };
        }
        let mut effects = self.deliver(now, self.next);
        effects.passed_over.push(PassedOver {
            number: self.next,
            reason,
        });
        self.go_on_at(self.next.saturating_add(1));
        effects
    }

    fn on_failed(&mut self, now: Duration, retry: Retry) -> Effects {
        let since = *self.missing_since.get_or_insert(now);
        let alert = self.pauses.after_failure(retry);
        // One poisoned file must not hold up the rest: after many failures look beyond it.
        let poisoned = retry == Retry::Transient
            && self.pauses.failures() >= PolicyLimits::UNREADABLE_TRIES
            && now.saturating_sub(since) >= self.limits.stuck;
        if poisoned && self.may_look(now) {
            self.evidence_at = Some(now);
            self.phase = Phase::Probe(1);
        }
        Effects {
            alert,
            ..Effects::default()
        }
    }

    pub(super) fn deliver(&mut self, now: Duration, number: i64) -> Effects {
        self.pauses.after_document();
        self.delivered = true;
        self.progress_at = now;
        self.alerted_at = now;
        self.in_missing_run = false;
        Effects {
            deliver: true,
            position: Some(Position {
                number,
                rewind: false,
            }),
            ..Effects::default()
        }
    }

    pub(super) fn go_on_at(&mut self, next: i64) {
        self.next = next;
        self.phase = Phase::Follow;
        self.missing_since = None;
        self.evidence_at = None;
        self.next_probe = None;
        self.unreadable = 0;
    }

    /// The number that was uploaded again, where it is a sensible one.
    pub fn again(&self, updated: Option<i64>) -> Option<PassedOver> {
        updated
            .filter(|number| *number > 0 && *number < self.next)
            .map(|number| PassedOver {
                number,
                reason: Why::Updated,
            })
    }

    fn staleness(&mut self, now: Duration) -> Option<Alert> {
        if now.saturating_sub(self.alerted_at) < self.limits.stale {
            return None;
        }
        self.alerted_at = now;
        Some(Alert::Stale(now.saturating_sub(self.progress_at)))
    }
}

/// Leaves a hole to history.
pub(super) fn skip(hole: Option<Hole>, effects: &mut Effects) {
    effects.hole = hole;
    effects.position = hole.map(|hole| Position {
        number: hole.to,
        rewind: false,
    });
}
