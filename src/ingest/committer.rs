//! Third stage: a rendered killmail → stored and announced, together with its source's position.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;

use super::batch::{Batch, Entry};
use super::envelope::Outcome;
use super::error::Error;
use super::events::{
    BatchBisected, BatchCommitted, DatabaseAway, DeadLettered, KillmailArrived, KillmailsCommitted,
};
use super::pipeline::Fence;
use super::plan::{Announcing, Settled};
use super::stage::{Content, Item, Ready};
use super::transaction::Durability;
use super::{dead_letter, retry, transaction};
use crate::runtime::clock::SharedClock;
use crate::runtime::config::IngestConfig;
use crate::store::killmails::Change;
use crate::store::{self, Store};

/// The stage. Input: rendered killmails and everything else that carries a position, whatever is waiting
/// at once, up to `batch_size`: a lone killmail is committed without delay, and while one batch is being
/// committed the next one fills, so no wait is needed to form batches. Output: answers to the senders,
/// after the commit. Retry: the same batch for as long as the database is away; a batch that it refuses
/// is cut in halves until the killmail it refuses stands alone and becomes a dead letter. End: when the
/// input closes, or when the fence is gone, or when not even a dead letter can be written.
#[derive(Debug)]
pub(super) struct Committer {
    store: Store,
    config: IngestConfig,
    clock: SharedClock,
    fence: Option<Fence>,
    durability: Durability,
    known_years: HashSet<i32>,
}

impl Committer {
    pub(super) fn new(
        store: Store,
        config: IngestConfig,
        clock: SharedClock,
        fence: Option<Fence>,
    ) -> Self {
        Self {
            store,
            config,
            clock,
            fence,
            durability: Durability::Full,
            known_years: HashSet::new(),
        }
    }

    /// Says what its commits wait for.
    pub(super) fn durable(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    pub(super) async fn run(mut self, mut input: mpsc::Receiver<Ready>) -> Result<(), Error> {
        let batch_size = self.config.batch_size.get();
        loop {
            let mut waiting = Vec::with_capacity(batch_size);
            if input.recv_many(&mut waiting, batch_size).await == 0 {
                return Ok(());
            }
            self.check_fence(&waiting)?;
            self.settle(waiting).await?;
        }
    }

    /// A cursor that moves without the right to would be lost without a word.
    fn check_fence(&self, items: &[Ready]) -> Result<(), Error> {
        let held = self.fence.map(|fence| fence.source);
        let stray = (items.iter())
            .find(|item| item.ticket.cursor.is_some() && held != Some(item.ticket.source));
        match stray {
            None => Ok(()),
            Some(item) => Err(Error::NoFence {
                source_name: item.ticket.source,
                origin: item.ticket.origin.clone(),
            }),
        }
    }

    /// Commits `items`, in halves where it must be.
    async fn settle(&mut self, items: Vec<Ready>) -> Result<(), Error> {
        let mut parts = vec![items];
        while let Some(part) = parts.pop() {
            let batch = Batch::compose(part);
            match self.commit_patiently(&batch).await {
                Ok(settled) => report_and_answer(batch, settled, self.clock.now()),
                Err(store::Error::Fenced { source_name }) => {
                    return Err(Error::Fenced { source_name });
                }
                Err(error) => {
                    let mut first = batch.take_apart();
                    if first.len() > 1 {
                        BatchBisected {
                            envelopes: first.len(),
                            error: &error,
                        }
                        .emit();
                        let second = first.split_off(first.len() / 2);
                        parts.push(second);
                    } else {
                        first = condemn(first, error)?;
                    }
                    parts.push(first);
                }
            }
        }
        Ok(())
    }

    /// Tries until the database has an opinion.
    async fn commit_patiently(&mut self, batch: &Batch) -> store::Result<Settled> {
        let mut ladder = retry::ladder();
        loop {
            let started = self.clock.monotonic();
            match self.commit_once(batch).await {
                Err(error) if error.is_transient() => {
                    let wait = retry::next_step(&mut ladder);
                    DatabaseAway {
                        work: "commit",
                        error: &error,
                        wait,
                    }
                    .emit();
                    self.clock.sleep(wait).await;
                }
                Err(error) => return Err(error),
                Ok(settled) => {
                    let elapsed = self.clock.monotonic().saturating_sub(started);
                    report_batch(batch, elapsed);
                    return Ok(settled);
                }
            }
        }
    }

    async fn commit_once(&mut self, batch: &Batch) -> store::Result<Settled> {
        let durability = self.durability;
        transaction::prepare(&self.store, batch, durability, &mut self.known_years).await?;
        let announcing = Announcing {
            now: self.clock.now(),
            within: TimeDelta::hours(i64::from(self.config.announce_hours)),
        };
        let manner = (self.fence, durability);
        transaction::commit(&self.store, batch, manner, &announcing).await
    }
}

/// Turns the one killmail that the database refuses into a dead letter; an error where there is none left
/// to blame, because the rest of the envelope is what is refused.
fn condemn(items: Vec<Ready>, error: store::Error) -> Result<Vec<Ready>, Error> {
    let mut condemned = Vec::with_capacity(items.len());
    for item in items {
        let Item { ticket, content } = item;
        let Content::Killmail(ready) = content else {
            return Err(Error::Commit {
                source_name: ticket.source,
                origin: ticket.origin,
                source: error,
            });
        };
        let bytes = (ready.raw).unwrap_or_else(|| ready.storable.document.into());
        let reason = dead_letter::chain(&error);
        let letter = dead_letter::write(&ticket, dead_letter::REFUSED, &reason, &bytes);
        condemned.push(Item {
            ticket,
            content: Content::DeadLetter(letter),
        });
    }
    Ok(condemned)
}

fn report_batch(batch: &Batch, elapsed: Duration) {
    let Some(first) = batch.entries.first() else {
        return;
    };
    BatchCommitted {
        source: first.ticket.source,
        envelopes: batch.entries.len(),
        killmails: batch.waves.iter().map(|wave| wave.killmails.len()).sum(),
        elapsed,
    }
    .emit();
}

fn report_and_answer(batch: Batch, settled: Settled, now: DateTime<Utc>) {
    let mut counts: BTreeMap<&'static str, [u64; 3]> = BTreeMap::new();
    for (entry, outcome) in batch.entries.iter().zip(&settled.outcomes) {
        if let Outcome::Stored { change, .. } = outcome {
            let [new, updated, unchanged] = counts.entry(entry.ticket.source).or_default();
            match change {
                Change::New => {
                    *new += 1;
                    report_arrival(&batch, entry, now);
                }
                Change::Updated => *updated += 1,
                Change::Unchanged | Change::Conflict => *unchanged += 1,
            }
        }
    }
    for (source, numbers) in counts {
        let changes = [Change::New, Change::Updated, Change::Unchanged];
        for (change, number) in changes.into_iter().zip(numbers) {
            KillmailsCommitted {
                source,
                change,
                number,
            }
            .emit();
        }
    }
    for letter in &settled.letters {
        DeadLettered { letter }.emit();
    }
    batch.answer(settled.outcomes);
}

fn report_arrival(batch: &Batch, entry: &Entry, now: DateTime<Utc>) {
    let Content::Killmail(slip) = &entry.content else {
        return;
    };
    if let Some(storable) = batch.killmail(slip) {
        KillmailArrived {
            source: entry.ticket.source,
            age: now - storable.killmail.killmail_time,
        }
        .emit();
    }
}
