//! The newest events in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::FeedEvent;
use crate::domain::FeedSequence;

/// What an event weighs beside its document: the struct, its facts, the slots. A generous guess, so that
/// thousands of tiny documents stay within the limit as well.
const EVENT_OVERHEAD_BYTES: usize = 1024;

/// A contiguous run of the log's newest events, bounded in number and in bytes.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Arc<FeedEvent>>,
    /// The newest sequence of the log, also when `events` is empty.
    head: FeedSequence,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

/// What the ring has for a cursor.
#[derive(Debug)]
pub(super) enum Slice {
    /// The events after it; `complete` when they reach up to the head.
    Events {
        /// Oldest first; empty when the cursor is the head.
        events: Vec<Arc<FeedEvent>>,
        /// Nothing newer is known.
        complete: bool,
    },
    /// The next event has left the ring (or never was in it).
    Older,
    /// The cursor is newer than everything the ring has seen.
    Beyond,
}

impl Ring {
    /// An empty ring that goes on after `head`.
    pub(super) fn new(max_events: usize, max_bytes: usize, head: FeedSequence) -> Self {
        Self {
            events: VecDeque::new(),
            head,
            bytes: 0,
            max_events: max_events.max(1),
            max_bytes,
        }
    }

    /// Appends an event and returns those that had to go, so that they can be dropped outside of the lock.
    /// Events at or before the head are ignored; after a hole in the log the run starts anew.
    pub(super) fn push(&mut self, event: Arc<FeedEvent>, evicted: &mut Vec<Arc<FeedEvent>>) {
        if event.sequence <= self.head {
            return;
        }
        if event.sequence.0 != self.head.0.saturating_add(1) {
            evicted.extend(self.events.drain(..));
            self.bytes = 0;
        }
        self.head = event.sequence;
        self.bytes += weight(&event);
        self.events.push_back(event);
        while self.events.len() > self.max_events
            || (self.bytes > self.max_bytes && self.events.len() > 1)
        {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= weight(&oldest);
            evicted.push(oldest);
        }
    }

    /// Up to `limit` events after a cursor.
    pub(super) fn slice(&self, after: FeedSequence, limit: usize) -> Slice {
        if after == self.head {
            return Slice::Events {
                events: Vec::new(),
                complete: true,
            };
        }
        if after > self.head {
            return Slice::Beyond;
        }
        let Some(first) = self.events.front() else {
            return Slice::Older;
        };
        let skipped = after.0.saturating_add(1).saturating_sub(first.sequence.0);
        let Ok(skipped) = usize::try_from(skipped) else {
            return Slice::Older;
        };
        let end = skipped.saturating_add(limit).min(self.events.len());
        Slice::Events {
            events: self.events.range(skipped.min(end)..end).cloned().collect(),
            complete: end == self.events.len(),
        }
    }

    /// The newest sequence.
    pub(super) fn head(&self) -> FeedSequence {
        self.head
    }

    /// How many events, and how many bytes they are counted with.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.events.len(), self.bytes)
    }

    /// Forgets everything and goes on after `head`.
    pub(super) fn reset(&mut self, head: FeedSequence) {
        self.events.clear();
        self.bytes = 0;
        self.head = head;
    }
}

fn weight(event: &FeedEvent) -> usize {
    event.document.len() + EVENT_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::testing;

    fn event(sequence: i64) -> Arc<FeedEvent> {
        Arc::new(testing::event(
            sequence,
            &testing::kill(30_000_142, sequence),
        ))
    }

    fn sequences(slice: &Slice) -> Option<Vec<i64>> {
        match slice {
            Slice::Events { events, .. } => Some(events.iter().map(|e| e.sequence.0).collect()),
            Slice::Older | Slice::Beyond => None,
        }
    }

    #[test]
    fn keeps_within_its_bytes_but_always_the_newest() {
        let mut ring = Ring::new(100, 1, FeedSequence(0));
        let mut evicted = Vec::new();
        ring.push(event(1), &mut evicted);
        ring.push(event(2), &mut evicted);
        assert_eq!(evicted.len(), 1);
        assert_eq!(ring.size().0, 1);
        assert_eq!(sequences(&ring.slice(FeedSequence(1), 9)), Some(vec![2]));
    }

    #[test]
    fn cursors_at_the_extremes_are_answered() {
        let mut ring = Ring::new(10, usize::MAX, FeedSequence(0));
        ring.push(event(1), &mut Vec::new());
        assert!(matches!(
            ring.slice(FeedSequence(i64::MAX), 9),
            Slice::Beyond
        ));
        assert!(matches!(
            ring.slice(FeedSequence(i64::MIN), 9),
            Slice::Older
        ));
    }

    proptest! {
        /// Against a plain list: the run is contiguous, bounded, and every cursor gets what follows it.
        #[test]
        fn agrees_with_a_plain_list(
            max in 1_usize..20,
            start in 0_i64..5,
            steps in prop::collection::vec(prop_oneof![9 => Just(1_i64), 1 => 2_i64..5], 0..60),
            limit in 1_usize..30,
        ) {
            let mut ring = Ring::new(max, usize::MAX, FeedSequence(start));
            let mut run: Vec<i64> = Vec::new();
            let mut head = start;
            for step in steps {
                if step > 1 {
                    run.clear();
                }
                head += step;
                run.push(head);
                if run.len() > max {
                    run.remove(0);
                }
                ring.push(event(head), &mut Vec::new());
            }
            prop_assert_eq!(ring.head().0, head);
            prop_assert_eq!(ring.size().0, run.len());
            for cursor in -1..head + 2 {
                let slice = ring.slice(FeedSequence(cursor), limit);
                if cursor > head {
                    prop_assert!(matches!(slice, Slice::Beyond));
                } else if cursor == head || run.contains(&(cursor + 1)) {
                    let expected: Vec<i64> =
                        run.iter().copied().filter(|s| *s > cursor).take(limit).collect();
                    let reaches = expected.last().is_none_or(|last| *last == head);
                    prop_assert_eq!(sequences(&slice), Some(expected));
                    let Slice::Events { complete, .. } = slice else { unreachable!() };
                    prop_assert_eq!(complete, reaches);
                } else {
                    prop_assert!(matches!(slice, Slice::Older));
                }
            }
        }
    }
}
