//! What stands between the stages: a ticket that every envelope keeps until its commit, and what has been
//! made of its payload so far.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use super::envelope::{Announce, CursorMove, Envelope, Outcome, Payload};
use crate::domain::{Enrichment, Killmail};
use crate::store::dead_letters::DeadLetter;
use crate::store::gaps::Gap;
use crate::store::killmails::StorableKillmail;

/// All of an envelope but its payload.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) source: &'static str,
    pub(super) origin: String,
    pub(super) received_at: DateTime<Utc>,
    pub(super) announce: Announce,
    pub(super) cursor: Option<CursorMove>,
    pub(super) gaps: Vec<Gap>,
    pub(super) closes_gap: Option<i64>,
    done: Option<oneshot::Sender<Outcome>>,
}

impl Ticket {
    /// Takes an envelope apart.
    pub(super) fn split(envelope: Envelope) -> (Self, Payload) {
        let ticket = Self {
            source: envelope.source,
            origin: envelope.origin,
            received_at: envelope.received_at,
            announce: envelope.announce,
            cursor: envelope.cursor,
            gaps: envelope.gaps,
            closes_gap: envelope.closes_gap,
            done: envelope.done,
        };
        (ticket, envelope.payload)
    }

    /// Tells the sender what became of its envelope; a sender that does not listen any more is no error.
    pub(super) fn answer(self, outcome: Outcome) {
        if let Some(done) = self.done
            && done.send(outcome).is_err()
        {
            tracing::trace!(source = self.source, origin = self.origin, "nobody waits");
        }
    }
}

/// An envelope on its way through the stages; `K` is what a killmail looks like there.
#[derive(Debug)]
pub(super) struct Item<K> {
    pub(super) ticket: Ticket,
    pub(super) content: Content<K>,
}

/// What a payload turned out to be.
#[derive(Debug)]
pub(super) enum Content<K> {
    Killmail(K),
    DeadLetter(Box<DeadLetter>),
    Deferred,
    Expired,
    Nothing,
}

/// From the processor: facts, and the bytes they came from, where there were any.
pub(super) type Processed = Item<ReadKillmail>;

/// A killmail as the processor hands it on.
#[derive(Debug)]
pub(super) struct ReadKillmail {
    pub(super) killmail: Box<Killmail>,
    pub(super) raw: Option<Bytes>,
}

/// From the enricher: ready to be written.
pub(super) type Ready = Item<ReadyKillmail>;

/// A killmail as the enricher hands it on.
#[derive(Debug)]
pub(super) struct ReadyKillmail {
    pub(super) storable: Box<StorableKillmail>,
    pub(super) enrichment: Arc<Enrichment>,
    pub(super) raw: Option<Bytes>,
}

impl<K> Item<K> {
    /// The same envelope with its killmail, where it is one, turned into something else.
    pub(super) fn map<L>(self, change: impl FnOnce(K) -> L) -> Item<L> {
        Item {
            ticket: self.ticket,
            content: match self.content {
                Content::Killmail(killmail) => Content::Killmail(change(killmail)),
                Content::DeadLetter(letter) => Content::DeadLetter(letter),
                Content::Deferred => Content::Deferred,
                Content::Expired => Content::Expired,
                Content::Nothing => Content::Nothing,
            },
        }
    }
}
