//! Which ids of a refused batch are to blame, found with few requests and few failures. Pure.
//!
//! `rest` holds ids of which nothing is known, `suspects` ids of which at least one is bad. Suspects are
//! halved: passes the first half, the second one is to blame and is halved without being asked whole; fails
//! the first half, it is to blame and the second one goes back into the rest, which is asked as one once the
//! bad id is found. A single suspect that was not asked alone is, before it is believed to be bad: so a
//! failure that had another reason loses no good id.
//!
//! Each round begins with a failure of the rest (≤ k+1 questions, the last one passes), halves n ids
//! (≤ ⌈log2 n⌉) and confirms (≤ 1): k bad ids among n cost at most 1 + k·(⌈log2 n⌉ + 2) questions.

/// A search under way.
#[derive(Debug)]
pub(super) struct Bisection {
    rest: Vec<i64>,
    suspects: Vec<i64>,
    refused: Vec<i64>,
}

impl Bisection {
    /// A search among distinct ids, none of which has been asked.
    pub(super) fn new(ids: Vec<i64>) -> Self {
        Self {
            rest: ids,
            suspects: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The ids to ask next; empty at the end.
    pub(super) fn next(&self) -> &[i64] {
        match self.suspects.len() {
            0 => &self.rest,
            // Follows from an answer so far; this question confirms it.
            1 => &self.suspects,
            many => self.suspects.get(..many / 2).unwrap_or_default(),
        }
    }

    /// The ids of [`Self::next`] were answered.
    pub(super) fn passed(&mut self) {
        match self.suspects.len() {
            0 => self.rest.clear(),
            1 => self.suspects.clear(),
            many => {
                self.suspects.drain(..many / 2);
            }
        }
    }

    /// The ids of [`Self::next`] were refused.
    pub(super) fn failed(&mut self) {
        match self.suspects.len() {
            0 => self.suspects = std::mem::take(&mut self.rest),
            1 => {}
            many => self.rest.extend(self.suspects.drain(many / 2..)),
        }
        // What was asked just now are the suspects; one alone is bad.
        if self.suspects.len() == 1 {
            self.refused.append(&mut self.suspects);
        }
    }

    /// The bad ids, and those that nothing was said about.
    pub(super) fn into_parts(self) -> (Vec<i64>, Vec<i64>) {
        let mut unanswered = self.rest;
        unanswered.extend(self.suspects);
        (self.refused, unanswered)
    }
}
