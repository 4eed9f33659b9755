//! What the policy does about a number that stays missing: look for evidence that there is more beyond it.

use std::time::Duration;

use super::limits::PolicyLimits;
use super::policy::{Phase, Policy, skip};
use super::start::{Hole, near};
use super::step::{Alert, Answer, Effects, PassedOver, Position, Why};
use crate::upstream::http::Retry;

impl Policy {
    pub(super) fn on_missing(&mut self, now: Duration) -> Effects {
        let mut effects = Effects::default();
        self.pauses.after_missing();
        let since = *self.missing_since.get_or_insert(now);
        if let Some(ahead) = self.next_probe.take() {
            self.phase = Phase::Probe(ahead);
            return effects;
        }
        if let Some(head) = self.first_search() {
            self.phase = Phase::Search {
                missing: self.next,
                found: head,
            };
            return effects;
        }
        if self.is_empty_head() {
            self.pass_over_next(&mut effects);
            return effects;
        }
        let known = self.head.filter(|(head, _)| *head > self.next);
        let since = match known {
            Some((_, seen)) if self.in_missing_run => since.min(seen),
            _ => since,
        };
        if now.saturating_sub(since) < self.limits.stuck {
            return effects;
        }
        // Only a fresh look lets a run begin: what was known at the start may be long out of date.
        if known.is_some() && self.in_missing_run {
            self.pass_over_next(&mut effects);
        } else if self.may_look(now) {
            self.phase = Phase::Evidence;
        }
        effects
    }

    /// What `sequence.json` says about a number that stays missing.
    pub(super) fn weigh(&mut self, now: Duration, head: i64, effects: &mut Effects) {
        self.head_far_behind = head < self.next.saturating_sub(PolicyLimits::HEAD_LAG);
        if head.saturating_sub(self.next) > PolicyLimits::LONGEST_LAG {
            let hole = Hole {
                from: self.next,
                to: near(head) - 1,
            };
            self.go_on_at(near(head));
            skip(Some(hole), effects);
        } else if head > self.next {
            self.pass_over_next(effects);
        } else {
            self.evidence_at = Some(now);
            self.phase = if self.next > 1 {
                Phase::Recheck
            } else {
                Phase::Probe(1)
            };
        }
    }

    pub(super) fn on_recheck(&mut self, now: Duration, answer: Answer) -> Effects {
        self.phase = Phase::Probe(1);
        let mut effects = Effects::default();
        match answer {
            Answer::Document { readable, .. } => {
                // The number may have been reused for another killmail; storing the same one changes nothing.
                self.pauses.after_document();
                effects.deliver = readable;
            }
            Answer::Missing => {
                self.pauses.after_missing();
                self.snap_back(now, &mut effects);
            }
            Answer::Unreadable => effects.alert = self.pauses.after_failure(Retry::Transient),
            Answer::Failed(retry) => effects.alert = self.pauses.after_failure(retry),
        }
        effects
    }

    /// Neither our number nor the one before exists, and `sequence.json` is far behind both.
    fn snap_back(&mut self, now: Duration, effects: &mut Effects) {
        let since = self.missing_since.unwrap_or(now);
        let Some((head, _)) = self.head else { return };
        if !self.head_far_behind || now.saturating_sub(since) < self.limits.snap_back {
            return;
        }
        let next = near(head);
        self.go_on_at(next);
        effects.position = Some(Position {
            number: next - 1,
            rewind: true,
        });
        effects.alert = Some(Alert::SnappedBack(next));
    }

    pub(super) fn on_probe(&mut self, now: Duration, ahead: i64, answer: Answer) -> Effects {
        let probed = self.next.saturating_add(ahead);
        self.phase = Phase::Follow;
        match answer {
            Answer::Document {
                number,
                updated,
                readable: true,
            } if number.is_none_or(|number| number == probed) => {
                let mut effects = self.deliver(now, probed);
                effects.passed_over = (self.next..probed)
                    .map(|number| PassedOver {
                        number,
                        reason: Why::Missing,
                    })
                    .collect();
                effects.passed_over.extend(self.again(updated));
                self.go_on_at(probed.saturating_add(1));
                effects
            }
            Answer::Document { .. } | Answer::Missing => {
                self.pauses.after_missing();
                self.next_probe = (ahead < PolicyLimits::PROBES).then_some(ahead + 1);
                Effects::default()
            }
            Answer::Unreadable => Effects {
                alert: self.pauses.after_failure(Retry::Transient),
                ..Effects::default()
            },
            Answer::Failed(retry) => Effects {
                alert: self.pauses.after_failure(retry),
                ..Effects::default()
            },
        }
    }

    pub(super) fn pass_over_next(&mut self, effects: &mut Effects) {
        let number = self.next;
        effects.passed_over.push(PassedOver {
            number,
            reason: Why::Missing,
        });
        effects.position = Some(Position {
            number,
            rewind: false,
        });
        self.go_on_at(number.saturating_add(1));
        self.in_missing_run = true;
    }

    pub(super) fn may_look(&self, now: Duration) -> bool {
        self.evidence_at
            .is_none_or(|at| now.saturating_sub(at) >= self.limits.stuck)
    }
}
