//! First stage: bytes → facts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::dead_letter;
use super::envelope::{Announce, Envelope, Payload};
use super::events::BodyDeferred;
use super::pipeline::{BodyError, FetchBody};
use super::stage::{Content, Item, Processed, ReadKillmail, Ticket};
use crate::domain::{Killmail, Parsed, Reference, parse};
use crate::runtime::clock::SharedClock;
use crate::runtime::config::RetentionConfig;
use crate::store::gaps::{Gap, GapReason};

/// Bodies fetched at the same time: hides one round trip to ESI behind others without using up its
/// budget in a burst. Killmails behind a slow one wait for it, so that positions stay in order.
const MAX_BODIES_IN_FLIGHT: usize = 8;

/// Longest a killmail (and all behind it) waits for a body; then it becomes a gap that is asked for later.
const BODY_WAIT: Duration = Duration::from_secs(15);

/// First step of a deferred body's ladder: ESI's error windows are a minute long.
const FIRST_BODY_RETRY: Duration = Duration::from_mins(2);

/// The source whose gaps are keyed by killmail id, because its positions can't be asked for again.
const KEYED_BY_KILLMAIL: &str = "redisq";

/// The stage. Input: envelopes as sources put them in. Output: the same number, in the same order, each a
/// killmail, a dead letter, a deferral or nothing. Retry: none here; a body that can't be had now becomes
/// a gap, one that will never be had a dead letter. End: when the input closes, or the next stage is gone.
#[derive(Debug)]
pub(super) struct Processor {
    pub(super) bodies: Option<Arc<dyn FetchBody>>,
    pub(super) clock: SharedClock,
    pub(super) retention: RetentionConfig,
}

impl Processor {
    pub(super) async fn run(
        self,
        input: mpsc::Receiver<Envelope>,
        output: mpsc::Sender<Processed>,
    ) {
        let arrivals = futures::stream::unfold(input, async |mut input| {
            let envelope = input.recv().await?;
            Some((envelope, input))
        });
        let processed = arrivals
            .map(|envelope| self.process(envelope))
            .buffered(MAX_BODIES_IN_FLIGHT);
        let mut processed = std::pin::pin!(processed);
        while let Some(item) = processed.next().await {
            if output.send(item).await.is_err() {
                return;
            }
        }
    }

    async fn process(&self, envelope: Envelope) -> Processed {
        let (ticket, payload) = Ticket::split(envelope);
        let processed = match payload {
            Payload::Empty => nothing(ticket),
            Payload::Killmail(killmail) => found(ticket, killmail, None),
            Payload::Raw(bytes) => self.read(ticket, bytes).await,
        };
        self.leave_out_expired(processed)
    }

    /// What a live source brings is stored however old it is, because listeners are owed it; it goes once the feed
    /// does not name it any more.
    fn leave_out_expired(&self, processed: Processed) -> Processed {
        if let Content::Killmail(read) = &processed.content
            && let Some(horizon) = self.retention.horizon(self.clock.now())
            && processed.ticket.announce != Announce::Always
            && read.killmail.killmail_time < horizon
        {
            return Item {
                content: Content::Expired,
                ..processed
            };
        }
        processed
    }

    async fn read(&self, ticket: Ticket, bytes: Bytes) -> Processed {
        match parse(&bytes) {
            Ok(Parsed::Killmail(killmail)) => found(ticket, killmail, Some(bytes)),
            Ok(Parsed::Reference(reference)) => self.resolve(ticket, reference, bytes).await,
            Ok(Parsed::Nothing) => nothing(ticket),
            Err(error) => dead(
                ticket,
                dead_letter::code(&error),
                &error.to_string(),
                &bytes,
            ),
        }
    }

    async fn resolve(&self, ticket: Ticket, reference: Reference, bytes: Bytes) -> Processed {
        let killmail_id = reference.killmail_id;
        match self.fetch(reference).await {
            Ok(killmail) => found(ticket, Box::new(killmail), Some(bytes)),
            Err(BodyError::Never(reason)) => dead(ticket, dead_letter::NO_BODY, &reason, &bytes),
            Err(BodyError::Later(reason)) => {
                BodyDeferred {
                    source: ticket.source,
                    origin: &ticket.origin,
                    killmail_id,
                    reason: &reason,
                }
                .emit();
                self.defer(ticket, killmail_id, &bytes)
            }
        }
    }

    async fn fetch(&self, reference: Reference) -> Result<Killmail, BodyError> {
        let Some(bodies) = &self.bodies else {
            return Err(BodyError::Later(
                "no server to fetch bodies from".to_owned(),
            ));
        };
        tokio::time::timeout(BODY_WAIT, bodies.fetch(reference))
            .await
            .unwrap_or_else(|_| {
                let seconds = BODY_WAIT.as_secs();
                Err(BodyError::Later(format!("no answer within {seconds} s")))
            })
    }

    /// Keeps what the source gave as a gap. A gap that was to be closed stays open with its own ladder.
    fn defer(&self, mut ticket: Ticket, killmail_id: i64, bytes: &Bytes) -> Processed {
        if ticket.closes_gap.take().is_none() {
            let now = self.clock.now();
            let position = match &ticket.cursor {
                Some(cursor) if ticket.source != KEYED_BY_KILLMAIL => cursor.position,
                _ => killmail_id,
            };
            ticket.gaps.push(Gap {
                source: ticket.source.to_owned(),
                position,
                reason: GapReason::NoBody,
                payload: Some(bytes.to_vec()),
                attempts: 0,
                next_attempt_at: now + FIRST_BODY_RETRY,
                recorded_at: now,
            });
        }
        Item {
            ticket,
            content: Content::Deferred,
        }
    }
}

fn found(ticket: Ticket, killmail: Box<Killmail>, raw: Option<Bytes>) -> Processed {
    Item {
        ticket,
        content: Content::Killmail(ReadKillmail { killmail, raw }),
    }
}

fn nothing(ticket: Ticket) -> Processed {
    Item {
        ticket,
        content: Content::Nothing,
    }
}

fn dead(ticket: Ticket, code: &'static str, reason: &str, bytes: &Bytes) -> Processed {
    let letter = dead_letter::write(&ticket, code, reason, bytes);
    Item {
        ticket,
        content: Content::DeadLetter(letter),
    }
}

#[cfg(test)]
mod tests;
