//! Beginning with a young server: `sequence.json` is low, and the numbers far enough below it never were.

use super::policy::{Phase, Policy};
use super::start::Start;
use super::step::{Answer, Effects};
use crate::upstream::http::Retry;

impl Policy {
    /// The number up to which the first document is searched, where there is something to search: only for
    /// who begins with nothing, has received nothing, and finds the beginning missing.
    pub(super) fn first_search(&self) -> Option<i64> {
        let (head, _) = self.head?;
        (self.start == Start::Head && !self.delivered && self.next < head).then_some(head)
    }

    /// Not even the number that `sequence.json` shows is there: a server that has published nothing yet.
    /// Waiting for it would only delay the first one.
    pub(super) fn is_empty_head(&self) -> bool {
        let at_head = self.head.is_some_and(|(head, _)| head == self.next);
        self.start == Start::Head && !self.delivered && at_head
    }

    /// Halves the numbers between one that is missing and one that is there.
    pub(super) fn on_search(&mut self, missing: i64, found: i64, answer: Answer) -> Effects {
        let middle = missing.midpoint(found);
        let (missing, found) = match answer {
            Answer::Missing => {
                self.pauses.after_missing();
                (middle, found)
            }
            Answer::Document { .. } => {
                self.pauses.after_document();
                (missing, middle)
            }
            Answer::Unreadable => return self.later(Retry::Transient),
            Answer::Failed(retry) => return self.later(retry),
        };
        if found.saturating_sub(missing) > 1 {
            self.phase = Phase::Search { missing, found };
        } else {
            self.go_on_at(found);
        }
        Effects::default()
    }

    /// The same question again, after a pause.
    pub(super) fn later(&mut self, retry: Retry) -> Effects {
        Effects {
            alert: self.pauses.after_failure(retry),
            ..Effects::default()
        }
    }
}
