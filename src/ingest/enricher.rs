//! Second stage: facts → a rendered document with all names that are known.

use std::pin::pin;
use std::sync::Arc;

use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream;
use tokio::sync::mpsc;

use super::envelope::Announce;
use super::events::{BatchEnriched, DatabaseAway, LookUpFailed};
use super::resolver::{Questions, Resolved, Resolver, Urgency};
use super::retry;
use super::stage::{Content, Processed, ReadKillmail, Ready, ReadyKillmail};
use crate::domain::names::Wanted;
use crate::domain::{Enrichment, Killmail, wire};
use crate::runtime::clock::SharedClock;
use crate::runtime::config::IngestConfig;
use crate::store::killmails::StorableKillmail;

/// Batches that are enriched at the same time: what the second asks for shares requests with the first.
const BATCHES: usize = 2;

/// The stage. Input: what the processor read, whatever is waiting at once, up to `batch_size`. Output: the
/// same, in the same order, killmails rendered. Retry: a database that is away is waited for; one that
/// refuses for good leaves names pending, since an unknown name never holds a killmail back. ESI is asked for
/// what is announced now, and waited for at most `enrich_wait`. End: when the input closes, or the next stage
/// is gone.
#[derive(Debug)]
pub(super) struct Enricher {
    pub(super) resolver: Resolver,
    pub(super) config: IngestConfig,
    pub(super) clock: SharedClock,
}

impl Enricher {
    pub(super) async fn run(self, input: mpsc::Receiver<Processed>, output: mpsc::Sender<Ready>) {
        let most = self.config.batch_size.get();
        let batches = stream::unfold(input, |mut input| async move {
            let mut waiting = Vec::new();
            let received = input.recv_many(&mut waiting, most).await;
            (received > 0).then_some((waiting, input))
        });
        let enriched = batches.map(|batch| self.enrich(batch)).buffered(BATCHES);
        let mut enriched = pin!(enriched);
        while let Some(batch) = enriched.next().await {
            for item in batch {
                if output.send(item).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn enrich(&self, items: Vec<Processed>) -> Vec<Ready> {
        let started = self.clock.monotonic();
        let resolved = self.resolve(&items).await;
        let completeness: Vec<bool> = items
            .iter()
            .map(|item| killmail_of(item).is_some_and(|it| resolved.is_complete(it)))
            .collect();
        let enrichment = Arc::new(resolved.enrichment);
        let (mut complete, mut pending) = (0, 0);
        let ready = items
            .into_iter()
            .zip(completeness)
            .map(|(item, is_complete)| {
                item.map(|read| {
                    *(if is_complete {
                        &mut complete
                    } else {
                        &mut pending
                    }) += 1;
                    render(read, &enrichment, !is_complete)
                })
            })
            .collect();
        BatchEnriched {
            complete,
            pending,
            elapsed: self.clock.monotonic().saturating_sub(started),
        }
        .emit();
        ready
    }

    /// Memory and tables for all, then ESI for what is announced now.
    async fn resolve(&self, items: &[Processed]) -> Resolved {
        let wanted = Wanted::of(items.iter().filter_map(killmail_of));
        let Some(mut resolved) = self.known(&wanted, items.len()).await else {
            return Resolved::default();
        };
        let lacking: Vec<&Killmail> = items
            .iter()
            .filter(|item| self.is_announced(item))
            .filter_map(killmail_of)
            .filter(|killmail| !resolved.is_complete(killmail))
            .collect();
        if !lacking.is_empty() {
            let foremost = lacking.iter().flat_map(|it| it.foremost_subjects());
            let questions = Questions {
                foremost: foremost.collect(),
                rest: Wanted::of(lacking),
                urgency: Urgency::Live,
            };
            let wait = self.config.enrich_wait();
            self.resolver.ask(&mut resolved, questions, wait).await;
        }
        resolved
    }

    fn is_announced(&self, item: &Processed) -> bool {
        let within = TimeDelta::hours(i64::from(self.config.announce_hours));
        match item.ticket.announce {
            Announce::Always => true,
            Announce::IfRecent => killmail_of(item)
                .is_some_and(|killmail| self.clock.now() - killmail.killmail_time < within),
            Announce::Never => false,
        }
    }

    async fn known(&self, wanted: &Wanted, killmails: usize) -> Option<Resolved> {
        let mut ladder = retry::ladder();
        loop {
            match self.resolver.known(wanted).await {
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
        Content::DeadLetter(_) | Content::Deferred | Content::Expired | Content::Nothing => None,
    }
}

fn render(read: ReadKillmail, enrichment: &Arc<Enrichment>, pending_names: bool) -> ReadyKillmail {
    let killmail = *read.killmail;
    ReadyKillmail {
        storable: Box::new(StorableKillmail {
            document: wire::document(&killmail, enrichment),
            killmail,
            pending_names,
        }),
        enrichment: Arc::clone(enrichment),
        raw: read.raw,
    }
}

#[cfg(test)]
mod tests;
