//! Whom to wake: narrow readers by what they ask for.
//!
//! A reader whose filter names places, participants or ships is entered under those keys and stays entered
//! while it lives. Each entry remembers the first event since the reader last looked that may concern it, so
//! that a reader can pass over thousands of foreign events without looking at one. Readers without such a
//! filter are not in here: they wait for the head to move.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Notify;

use super::key::Key;
use crate::domain::FeedSequence;

/// Names an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SubscriptionId(u64);

/// The entries, and the head they are up to date with.
#[derive(Debug)]
pub(super) struct Index {
    by_key: HashMap<Key, HashSet<SubscriptionId>>,
    entries: HashMap<SubscriptionId, Entry>,
    next_id: u64,
    head: FeedSequence,
}

#[derive(Debug)]
struct Entry {
    keys: Box<[Key]>,
    wake: Arc<Notify>,
    /// From where on `first` is known; `None` until the reader has waited once.
    since: Option<FeedSequence>,
    /// The first event after `since` that may concern the reader.
    first: Option<FeedSequence>,
}

impl Index {
    /// An empty index, up to date with `head`.
    pub(super) fn new(head: FeedSequence) -> Self {
        Self {
            by_key: HashMap::new(),
            entries: HashMap::new(),
            next_id: 0,
            head,
        }
    }

    /// Enters a reader under its keys.
    pub(super) fn insert(&mut self, keys: Box<[Key]>, wake: Arc<Notify>) -> SubscriptionId {
        let id = SubscriptionId(self.next_id);
        self.next_id += 1;
        for key in &keys {
            self.by_key.entry(*key).or_default().insert(id);
        }
        let entry = Entry {
            keys,
            wake,
            since: None,
            first: None,
        };
        self.entries.insert(id, entry);
        id
    }

    /// Forgets a reader.
    pub(super) fn remove(&mut self, id: SubscriptionId) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        for key in &entry.keys {
            if let Some(ids) = self.by_key.get_mut(key) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
    }

    /// Takes note of an event and collects the readers it is the first for.
    pub(super) fn append(
        &mut self,
        sequence: FeedSequence,
        keys: &HashSet<Key>,
        woken: &mut Vec<Arc<Notify>>,
    ) {
        self.head = self.head.max(sequence);
        let Self {
            by_key, entries, ..
        } = self;
        for id in keys.iter().filter_map(|key| by_key.get(key)).flatten() {
            if let Some(entry) = entries.get_mut(id)
                && entry.first.is_none()
                && entry.since.is_some_and(|since| since < sequence)
            {
                entry.first = Some(sequence);
                woken.push(Arc::clone(&entry.wake));
            }
        }
    }

    /// Where a reader at `cursor` may go on: right before the first event that may concern it, or to the
    /// head when there is none.
    pub(super) fn pass_foreign(&self, id: SubscriptionId, cursor: FeedSequence) -> FeedSequence {
        let Some(entry) = self.entries.get(&id) else {
            return cursor;
        };
        match (entry.since, entry.first) {
            (Some(since), None) if since <= cursor => cursor.max(self.head),
            (Some(since), Some(first)) if since <= cursor => {
                cursor.max(FeedSequence(first.0.saturating_sub(1)))
            }
            _ => cursor,
        }
    }

    /// Prepares a wait of a reader that has seen everything up to `cursor`. False when something it has to
    /// look at first may be there already.
    pub(super) fn arm(&mut self, id: SubscriptionId, cursor: FeedSequence) -> bool {
        let head = self.head;
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        let watched = entry.since.is_some_and(|since| since <= cursor);
        if watched && entry.first.is_none() {
            return true;
        }
        if head > cursor {
            return false;
        }
        entry.since = Some(cursor);
        entry.first = None;
        true
    }

    /// Takes note of events that nobody can be given.
    pub(super) fn pass(&mut self, head: FeedSequence) {
        self.head = self.head.max(head);
    }

    /// The log was set back: nothing noted so far holds. Hands out everyone's wake-up.
    pub(super) fn reset(&mut self, head: FeedSequence) -> Vec<Arc<Notify>> {
        self.head = head;
        self.entries
            .values_mut()
            .map(|entry| {
                entry.since = None;
                entry.first = None;
                Arc::clone(&entry.wake)
            })
            .collect()
    }

    /// Everyone's wake-up.
    pub(super) fn everyone(&self) -> Vec<Arc<Notify>> {
        self.entries
            .values()
            .map(|entry| Arc::clone(&entry.wake))
            .collect()
    }
}
