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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// What a search came to: the ids that were answered, the refused ones, and how many questions failed.
    struct Ended {
        answered: Vec<i64>,
        refused: Vec<i64>,
        questions: usize,
        failures: usize,
    }

    /// Searches 1..=n against a server that refuses what holds a bad id, and at times what holds none.
    fn search(n: i64, bad: &HashSet<i64>, mut moody: impl FnMut(&[i64]) -> bool) -> Ended {
        let mut search = Bisection::new((1..=n).collect());
        let mut ended = Ended {
            answered: Vec::new(),
            refused: Vec::new(),
            questions: 0,
            failures: 0,
        };
        while !search.next().is_empty() {
            ended.questions += 1;
            let asked = search.next();
            if asked.iter().any(|id| bad.contains(id)) || moody(asked) {
                ended.failures += 1;
                search.failed();
            } else {
                ended.answered.extend(asked);
                search.passed();
            }
        }
        let (refused, unanswered) = search.into_parts();
        assert!(unanswered.is_empty());
        ended.refused = refused;
        ended
    }

    fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
        ids.sort_unstable();
        ids
    }

    fn batch() -> impl Strategy<Value = (i64, HashSet<i64>)> {
        (1..=1_000i64).prop_flat_map(|n| {
            let most = usize::try_from(n.min(12)).unwrap();
            (Just(n), proptest::collection::hash_set(1..=n, 0..=most))
        })
    }

    fn log2_rounded_up(n: i64) -> usize {
        usize::try_from(u64::try_from(n).unwrap().next_power_of_two().ilog2()).unwrap()
    }

    proptest! {
        #[test]
        fn every_bad_id_is_found_and_no_good_one_lost((n, bad) in batch()) {
            let ended = search(n, &bad, |_| false);
            let good = (1..=n).filter(|id| !bad.contains(id)).collect::<Vec<_>>();
            prop_assert_eq!(sorted(ended.answered), good);
            prop_assert_eq!(sorted(ended.refused), sorted(bad.iter().copied().collect()));
            let most = 1 + bad.len() * (log2_rounded_up(n) + 2);
            prop_assert!(ended.questions <= most, "{} of {most}", ended.questions);
            prop_assert!(ended.failures <= bad.len() * (log2_rounded_up(n) + 1));
        }

        #[test]
        fn failures_for_other_reasons_lose_nobody(
            (n, bad) in batch(),
            moods in proptest::collection::vec(any::<bool>(), 64),
        ) {
            let mut moods = moods.into_iter();
            // A good id that is refused when it is asked alone can't be told from a bad one.
            let ended = search(n, &bad, |asked| asked.len() > 1 && moods.next() == Some(true));
            let good = (1..=n).filter(|id| !bad.contains(id)).collect::<Vec<_>>();
            prop_assert_eq!(sorted(ended.answered), good);
            prop_assert_eq!(sorted(ended.refused), sorted(bad.into_iter().collect()));
        }
    }

    #[test]
    fn one_bad_id_among_a_thousand_costs_few_questions() {
        let questions = |id| search(1_000, &HashSet::from([id]), |_| false).questions;
        let worst = (1..=1_000).map(questions).max().unwrap();
        assert_eq!(worst, 13);
    }

    #[test]
    fn an_end_before_the_end_leaves_ids_unanswered() {
        let mut search = Bisection::new((1..=8).collect());
        search.failed();
        search.passed();
        let (refused, unanswered) = search.into_parts();
        assert!(refused.is_empty());
        assert_eq!(unanswered, [5, 6, 7, 8]);
    }
}
