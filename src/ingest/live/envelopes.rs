use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::ingest::envelope::{Announce, Envelope, Payload};

/// An envelope with nothing around its payload.
pub(super) fn bare(
    source: &'static str,
    origin: String,
    payload: Payload,
    received_at: DateTime<Utc>,
) -> Envelope {
    Envelope {
        source,
        origin,
        payload,
        received_at,
        announce: Announce::Always,
        cursor: None,
        gaps: Vec::new(),
        closes_gap: None,
        done: None,
    }
}

/// Bytes as a payload; none at all is nothing to parse.
pub(super) fn raw(bytes: Bytes) -> Payload {
    if bytes.is_empty() {
        Payload::Empty
    } else {
        Payload::Raw(bytes)
    }
}
