//! Second stage: facts → a rendered document with all names that are known.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::caches::Caches;
use super::events::{DatabaseAway, LookUpFailed};
use super::look_up::LookUp;
use super::retry;
use super::stage::{Content, Processed, ReadKillmail, Ready, ReadyKillmail};
use crate::domain::names::Wanted;
use crate::domain::{Enrichment, Killmail, wire};
use crate::runtime::clock::SharedClock;
use crate::store::killmails::StorableKillmail;

/// The stage. Input: what the processor read, whatever is waiting at once, up to `batch_size`. Output: the
/// same, in the same order, killmails rendered. Retry: a database that is away is waited for; one that
/// refuses for good leaves names pending, since an unknown name never holds a killmail back. End: when the
/// input closes, or the next stage is gone.
#[derive(Debug)]
pub(super) struct Enricher {
    pub(super) look_up: Arc<dyn LookUp>,
    pub(super) caches: Caches,
    pub(super) batch_size: NonZeroUsize,
    pub(super) clock: SharedClock,
}

impl Enricher {
    pub(super) async fn run(
        self,
        mut input: mpsc::Receiver<Processed>,
        output: mpsc::Sender<Ready>,
    ) {
        let mut waiting = Vec::with_capacity(self.batch_size.get());
        while input.recv_many(&mut waiting, self.batch_size.get()).await > 0 {
            let enrichment = Arc::new(self.resolve(&waiting).await);
            for item in waiting.drain(..) {
                let ready = item.map(|read| render(read, &enrichment));
                if output.send(ready).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Caches first, then [`LookUp`] for the rest.
    async fn resolve(&self, items: &[Processed]) -> Enrichment {
        let wanted = Wanted::of(items.iter().filter_map(killmail_of));
        let mut known = Enrichment::default();
        let missing = self.caches.take_known(&wanted, &mut known).await;
        if missing.is_empty() {
            return known;
        }
        if let Some(found) = self.look_up(&missing, items.len()).await {
            self.caches.remember(&missing, &found).await;
            known.extend(found);
        }
        known
    }

    async fn look_up(&self, missing: &Wanted, killmails: usize) -> Option<Enrichment> {
        let mut ladder = retry::ladder();
        loop {
            match self.look_up.find(missing).await {
                Ok(found) => return Some(found),
                Err(error) if error.is_transient() => {
                    let wait = retry::next_step(&mut ladder);
                    DatabaseAway {
                        work: "look_up",
                        error: &error,
                        wait,
                    }
                    .emit();
                    self.clock.sleep(wait).await;
                }
                Err(error) => {
                    LookUpFailed {
                        killmails,
                        error: &error,
                    }
                    .emit();
                    return None;
                }
            }
        }
    }
}

fn killmail_of(item: &Processed) -> Option<&Killmail> {
    match &item.content {
        Content::Killmail(read) => Some(&read.killmail),
        Content::DeadLetter(_) | Content::Deferred | Content::Nothing => None,
    }
}

fn render(read: ReadKillmail, enrichment: &Arc<Enrichment>) -> ReadyKillmail {
    let killmail = *read.killmail;
    let document = wire::document(&killmail, enrichment);
    let pending_names = !is_complete(&killmail, enrichment);
    ReadyKillmail {
        storable: Box::new(StorableKillmail {
            killmail,
            document,
            pending_names,
        }),
        enrichment: Arc::clone(enrichment),
        raw: read.raw,
    }
}

fn is_complete(killmail: &Killmail, enrichment: &Enrichment) -> bool {
    let wanted = Wanted::of([killmail]);
    let names = &enrichment.names;
    wanted.entities.iter().all(|key| names.contains_key(key))
        && (wanted.types.iter()).all(|id| enrichment.ship_types.contains_key(id))
        && (wanted.solar_systems.iter()).all(|id| enrichment.solar_systems.contains_key(id))
}

#[cfg(test)]
mod tests;
