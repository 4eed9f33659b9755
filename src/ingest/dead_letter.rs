//! Turns what can't be stored into a dead letter with a stable code.

use bytes::Bytes;

use super::stage::Ticket;
use crate::domain::ParseError;
use crate::store::dead_letters::{DeadLetter, MAX_PAYLOAD_BYTES};

/// Longest reason that is kept, in characters: a sentence, not a dump.
const MAX_REASON_CHARS: usize = 1_000;

/// ESI does not know the id and hash of a reference.
pub(super) const NO_BODY: &str = "no_body";

/// The same killmail id is stored with another time.
pub(super) const TIME_CONFLICT: &str = "time_conflict";

/// The database refuses this killmail, and it alone.
pub(super) const REFUSED: &str = "refused_by_database";

/// The stable word for a parse error.
pub fn code(error: &ParseError) -> &'static str {
    match error {
        ParseError::NotJson { .. } => "not_json",
        ParseError::UnknownShape { .. } => "unknown_shape",
        ParseError::Field { .. } => "bad_field",
        ParseError::UpstreamError { .. } => "upstream_error",
    }
}

/// Builds the dead letter of an envelope, payload and reason cut to their limits.
pub(super) fn write(
    ticket: &Ticket,
    code: &'static str,
    reason: &str,
    payload: &Bytes,
) -> Box<DeadLetter> {
    let kept = payload.get(..MAX_PAYLOAD_BYTES).unwrap_or(payload);
    Box::new(DeadLetter {
        source: ticket.source.to_owned(),
        position: ticket.origin.clone(),
        code: code.to_owned(),
        reason: reason.chars().take(MAX_REASON_CHARS).collect(),
        payload: kept.to_vec(),
        received_at: ticket.received_at,
    })
}

/// An error with everything that caused it, as one sentence.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        sentence.push_str(": ");
        sentence.push_str(&source.to_string());
        cause = source.source();
    }
    sentence
}
