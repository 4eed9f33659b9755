//! Small killmails and envelopes for the stages' tests.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeZone, Utc};
use tokio::sync::oneshot;

use super::envelope::{Announce, CursorMove, Envelope, Outcome, Payload};
use super::stage::{Content, Item, Ready, ReadyKillmail, Ticket};
use crate::domain::{Attacker, Enrichment, Killmail, Victim};
use crate::store::killmails::StorableKillmail;

/// The moment all fixtures happened at.
pub(super) fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()
}

pub(super) fn killmail(killmail_id: i64) -> Killmail {
    Killmail {
        killmail_id,
        hash: None,
        killmail_time: noon(),
        solar_system_id: 30_000_142,
        moon_id: None,
        war_id: None,
        victim: Victim {
            character_id: Some(90_000_001),
            ship_type_id: Some(587),
            ..Victim::default()
        },
        attackers: vec![Attacker {
            character_id: Some(90_000_002),
            ship_type_id: Some(603),
            final_blow: true,
            ..Attacker::default()
        }],
        zkb: None,
    }
}

pub(super) fn envelope(origin: &str, payload: Payload) -> Envelope {
    Envelope {
        source: "r2z2",
        origin: origin.to_owned(),
        payload,
        received_at: noon(),
        announce: Announce::Always,
        cursor: None,
        gaps: Vec::new(),
        closes_gap: None,
        done: None,
    }
}

/// Bytes of a document that has only id and hash.
pub(super) fn reference(killmail_id: i64) -> Bytes {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    Bytes::from(format!(
        r#"{{"killmail_id":{killmail_id},"hash":"{hash}","esi":null,"zkb":{{"hash":"{hash}","totalValue":10000}}}}"#
    ))
}

pub(super) fn cursor(position: i64) -> CursorMove {
    CursorMove {
        position,
        detail: None,
        rewind: false,
    }
}

/// A rendered killmail, and where its outcome arrives.
pub(super) fn ready(killmail: Killmail, announce: Announce) -> (Ready, oneshot::Receiver<Outcome>) {
    let (done, outcome) = oneshot::channel();
    let (ticket, _) = Ticket::split(Envelope {
        announce,
        done: Some(done),
        ..envelope("fixture", Payload::Empty)
    });
    let item = Item {
        ticket,
        content: Content::Killmail(ReadyKillmail {
            storable: Box::new(StorableKillmail {
                document: format!("document {}", killmail.killmail_id),
                killmail,
                pending_names: false,
            }),
            enrichment: Arc::new(Enrichment::default()),
            raw: None,
        }),
    };
    (item, outcome)
}
