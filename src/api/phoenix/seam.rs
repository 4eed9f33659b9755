//! The seam between preload and live: what one has brought, the other leaves out.

use std::collections::{HashSet, VecDeque};

use crate::api::limits::REMEMBERED_PUSHES;
use crate::domain::FeedSequence;

/// What a channel has pushed lately.
#[derive(Debug, Default)]
pub(super) struct Seam {
    /// Preloaded killmails whose event may still lie ahead of the reader. Bounded by what preloads may bring;
    /// emptied once the reader has passed `until`.
    preloaded: HashSet<i64>,
    /// Every preloaded killmail's event is at or before this; `None` while that is not known.
    until: Option<FeedSequence>,
    /// The last live killmails with their systems.
    live: VecDeque<(i64, i64)>,
}

impl Seam {
    /// Takes note of a killmail that a preload reads. False when it was pushed live already.
    pub(super) fn preload(&mut self, killmail_id: i64) -> bool {
        if self.live.iter().any(|(id, _)| *id == killmail_id) {
            return false;
        }
        self.until = None;
        self.preloaded.insert(killmail_id);
        true
    }

    /// Every event of what was preloaded is at or before `head`.
    pub(super) fn settle(&mut self, head: FeedSequence) {
        self.until = Some(head);
    }

    /// Takes note of a live killmail. False when a preload has brought its killmail.
    pub(super) fn push(&mut self, killmail_id: i64, system: i64) -> bool {
        if self.preloaded.contains(&killmail_id) {
            return false;
        }
        if self.live.len() >= REMEMBERED_PUSHES {
            self.live.pop_front();
        }
        self.live.push_back((killmail_id, system));
        true
    }

    /// The reader is at `cursor`.
    pub(super) fn moved(&mut self, cursor: FeedSequence) {
        if self.until.is_some_and(|until| until <= cursor) {
            self.preloaded = HashSet::new();
            self.until = None;
        }
    }

    /// The client gave these systems up; when it comes back to them it wants their past again.
    pub(super) fn forget_systems(&mut self, systems: &HashSet<i64>) {
        self.live.retain(|(_, system)| !systems.contains(system));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_preloaded_is_not_pushed_until_the_reader_has_passed_it() {
        let mut seam = Seam::default();
        assert!(seam.preload(1));
        seam.moved(FeedSequence(9));
        assert!(!seam.push(1, 5), "the preload has not ended");
        seam.settle(FeedSequence(10));
        seam.moved(FeedSequence(9));
        assert!(!seam.push(1, 5));
        seam.moved(FeedSequence(10));
        assert!(seam.preloaded.is_empty());
    }

    #[test]
    fn what_was_pushed_is_not_preloaded_unless_its_system_was_given_up() {
        let mut seam = Seam::default();
        assert!(seam.push(1, 5) && seam.push(2, 6));
        seam.forget_systems(&HashSet::from([6]));
        assert!(!seam.preload(1));
        assert!(seam.preload(2));
    }

    #[test]
    fn memory_is_bounded() {
        let mut seam = Seam::default();
        for id in (0..).take(REMEMBERED_PUSHES + 1) {
            assert!(seam.push(id, 5));
        }
        assert_eq!(seam.live.len(), REMEMBERED_PUSHES);
        assert!(seam.preload(0), "the oldest is forgotten");
    }
}
