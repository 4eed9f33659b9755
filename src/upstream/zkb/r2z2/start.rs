use std::time::Duration;

use super::limits::PolicyLimits;

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the head: nothing was saved.
    Head,
    /// After a saved position.
    After {
        /// The last number that is stored.
        position: i64,
        /// How long ago it was saved.
        age: Duration,
    },
}

/// Numbers that are skipped for good; history has to bring what was in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The first skipped number.
    pub from: i64,
    /// The last skipped number.
    pub to: i64,
}

impl Start {
    /// The first number to ask for, given what `sequence.json` says, and what is skipped by that.
    pub(super) fn first(self, head: i64) -> (i64, Option<Hole>) {
        let near_head = near(head);
        let Self::After { position, age } = self else {
            return (near_head, None);
        };
        let next = position.max(0).saturating_add(1);
        let expired = age >= PolicyLimits::OLDEST_CURSOR;
        let too_far = head.saturating_sub(next) > PolicyLimits::LONGEST_LAG;
        if (expired || too_far) && near_head > next {
            return (
                near_head,
                Some(Hole {
                    from: next,
                    to: near_head - 1,
                }),
            );
        }
        (next, None)
    }

    /// The first number to ask for when `sequence.json` can't be had; `None` has to wait for it.
    pub(super) fn without_head(self) -> Option<i64> {
        match self {
            Self::After { position, age } if age < PolicyLimits::OLDEST_CURSOR => {
                Some(position.max(0).saturating_add(1))
            }
            Self::After { .. } | Self::Head => None,
        }
    }
}

/// Far enough below `sequence.json` to miss nothing that it lags behind.
pub(super) fn near(head: i64) -> i64 {
    head.saturating_sub(PolicyLimits::HEAD_LAG).max(1)
}
