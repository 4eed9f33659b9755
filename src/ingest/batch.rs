//! What is committed in one transaction, laid out for it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::envelope::{CursorMove, Outcome};
use super::stage::{Content, Item, Ready, ReadyKillmail};
use crate::domain::Enrichment;
use crate::store::killmails::StorableKillmail;

/// Envelopes of one transaction, in their order. Ids within one write must be unique, so a killmail that
/// occurs twice is written in two *waves*: first all first occurrences, then all second ones.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    pub(super) waves: Vec<Wave>,
    pub(super) enrichment: Arc<Enrichment>,
}

/// An envelope whose killmail stands in a wave.
pub(super) type Entry = Item<Slip>;

/// Where an entry's killmail stands.
#[derive(Debug)]
pub(super) struct Slip {
    pub(super) wave: usize,
    pub(super) slot: usize,
    raw: Option<Bytes>,
}

/// Killmails with unique ids.
#[derive(Debug, Default)]
pub(super) struct Wave {
    pub(super) killmails: Vec<StorableKillmail>,
    owners: Vec<usize>,
}

impl Batch {
    /// Lays `items` out.
    pub(super) fn compose(items: Vec<Ready>) -> Self {
        let mut seen: HashMap<i64, usize> = HashMap::with_capacity(items.len());
        let mut waves: Vec<Wave> = Vec::new();
        let mut enrichments: Vec<Arc<Enrichment>> = Vec::new();
        let mut entries = Vec::with_capacity(items.len());
        for (owner, item) in items.into_iter().enumerate() {
            entries.push(item.map(|ready| {
                let times = seen.entry(ready.storable.killmail.killmail_id).or_default();
                let wave = std::mem::replace(times, *times + 1);
                if enrichments
                    .last()
                    .is_none_or(|last| !Arc::ptr_eq(last, &ready.enrichment))
                {
                    enrichments.push(ready.enrichment);
                }
                let slot = place(&mut waves, wave, owner, *ready.storable);
                Slip {
                    wave,
                    slot,
                    raw: ready.raw,
                }
            }));
        }
        Self {
            entries,
            waves,
            enrichment: merge(enrichments),
        }
    }

    /// Takes the batch apart again, for smaller ones.
    pub(super) fn take_apart(self) -> Vec<Ready> {
        let mut storables: HashMap<usize, StorableKillmail> = self
            .waves
            .into_iter()
            .flat_map(|wave| wave.owners.into_iter().zip(wave.killmails))
            .collect();
        let mut items = Vec::with_capacity(self.entries.len());
        for (owner, entry) in self.entries.into_iter().enumerate() {
            let content = match entry.content {
                Content::Killmail(slip) => match storables.remove(&owner) {
                    Some(storable) => Content::Killmail(ReadyKillmail {
                        storable: Box::new(storable),
                        enrichment: Arc::clone(&self.enrichment),
                        raw: slip.raw,
                    }),
                    None => Content::Nothing,
                },
                Content::DeadLetter(letter) => Content::DeadLetter(letter),
                Content::Deferred => Content::Deferred,
                Content::Expired => Content::Expired,
                Content::Nothing => Content::Nothing,
            };
            items.push(Item {
                ticket: entry.ticket,
                content,
            });
        }
        items
    }

    /// The killmail of an entry.
    pub(super) fn killmail(&self, slip: &Slip) -> Option<&StorableKillmail> {
        self.waves.get(slip.wave)?.killmails.get(slip.slot)
    }

    /// The bytes an entry came from, or what is written in their place.
    pub(super) fn bytes(&self, slip: &Slip) -> Bytes {
        match (&slip.raw, self.killmail(slip)) {
            (Some(raw), _) => raw.clone(),
            (None, Some(storable)) => Bytes::from(storable.document.clone()),
            (None, None) => Bytes::new(),
        }
    }

    /// What all cursor moves come to: the last position, where a lower one only counts as a rewind.
    pub(super) fn cursor(&self) -> Option<CursorMove> {
        let moves = self
            .entries
            .iter()
            .filter_map(|entry| entry.ticket.cursor.as_ref());
        moves.fold(None, |last: Option<CursorMove>, next| match last {
            None => Some(next.clone()),
            Some(last) if next.rewind || next.position >= last.position => Some(CursorMove {
                position: next.position,
                detail: next.detail.clone().or(last.detail),
                rewind: next.rewind || last.rewind,
            }),
            Some(last) => Some(last),
        })
    }

    /// Tells every sender its outcome.
    pub(super) fn answer(self, outcomes: Vec<Outcome>) {
        for (entry, outcome) in self.entries.into_iter().zip(outcomes) {
            entry.ticket.answer(outcome);
        }
    }
}

fn place(waves: &mut Vec<Wave>, wave: usize, owner: usize, storable: StorableKillmail) -> usize {
    if waves.len() <= wave {
        waves.resize_with(wave + 1, Wave::default);
    }
    let Some(wave) = waves.get_mut(wave) else {
        return 0;
    };
    wave.killmails.push(storable);
    wave.owners.push(owner);
    wave.killmails.len() - 1
}

fn merge(enrichments: Vec<Arc<Enrichment>>) -> Arc<Enrichment> {
    let mut enrichments = enrichments.into_iter();
    let Some(first) = enrichments.next() else {
        return Arc::default();
    };
    enrichments.fold(first, |mut merged, next| {
        Arc::make_mut(&mut merged).extend(Arc::unwrap_or_clone(next));
        merged
    })
}

#[cfg(test)]
mod tests;
