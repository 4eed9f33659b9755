//! Wire JSON → [`Killmail`]. Total: every input gives a value or a reason, none panics.
//!
//! Lenient about how a fact is written (whole numbers as floats, numbers as text, flags as 0 and 1, null
//! for absent, unknown fields), strict about what identifies a killmail: id, place, time, hash, the victim
//! and the list of attackers.

mod body;
mod node;
mod scalar;
mod shape;
mod zkb;

use chrono::{DateTime, Utc};
use serde_json_borrow::Value;

use super::ids::KillmailHash;
use super::killmail::{Killmail, Zkb};

pub use body::{MAX_ATTACKERS, MAX_ITEM_DEPTH, MAX_ITEMS};
pub use zkb::MAX_LABELS;

/// What one document of any upstream turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// A whole killmail.
    Killmail(Box<Killmail>),
    /// Only id and hash (and perhaps zKillboard's block): the body has to be fetched from ESI.
    Reference(Reference),
    /// A source's way of saying "nothing new" (`{"package":null}`).
    Nothing,
}

/// A killmail without its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// ESI's id.
    pub killmail_id: i64,
    /// ESI's hash, which fetches the body.
    pub hash: KillmailHash,
    /// Values and labels, where the source had them.
    pub zkb: Option<Zkb>,
}

/// R2Z2's own numbers around a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct R2z2Numbers {
    /// The number the document says it has.
    pub sequence_id: Option<i64>,
    /// An earlier number that has been uploaded again.
    pub sequence_updated: Option<i64>,
    /// When it was uploaded.
    pub uploaded_at: Option<DateTime<Utc>>,
}

/// Why a document is not a killmail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Not JSON, or cut off.
    #[error("not JSON: {reason}")]
    NotJson {
        /// The JSON parser's own words.
        reason: String,
    },
    /// JSON, but no shape that any upstream sends.
    #[error("not a killmail: {found}")]
    UnknownShape {
        /// What it was instead, with its first keys.
        found: String,
    },
    /// A field that must be there is missing or out of range.
    #[error("{field} is {value}, allowed is {allowed}")]
    Field {
        /// Path of the field, such as `attackers[3].damage_done`.
        field: String,
        /// What it held, cut to 80 characters; `missing` where it was absent.
        value: String,
        /// What would have been accepted.
        allowed: &'static str,
    },
    /// An upstream's error object.
    #[error("the upstream answered with an error: {message}")]
    UpstreamError {
        /// Its message.
        message: String,
    },
}

/// Reads one document in any of the shapes the upstreams send: ESI body, R2Z2 document, RedisQ package
/// with and without the body, flat relay form, EVE Ref entry, zKillboard REST element; and our own
/// canonical document.
///
/// # Errors
/// A [`ParseError`] that names the field, the value and what is allowed.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ParseError> {
    parse_value(&json(bytes)?)
}

/// Same as [`parse`], for a document that has been read as JSON already.
///
/// # Errors
/// As [`parse`].
pub fn parse_value(value: &Value<'_>) -> Result<Parsed, ParseError> {
    shape::read(value)
}

/// R2Z2's numbers of a document; absent or odd ones are `None`.
pub fn r2z2_numbers(value: &Value<'_>) -> R2z2Numbers {
    let number = |key| {
        value
            .as_object()
            .and_then(|document| document.get(key))
            .and_then(scalar::integer)
            .filter(|number| *number > 0)
    };
    R2z2Numbers {
        sequence_id: number("sequence_id"),
        sequence_updated: number("sequence_updated"),
        uploaded_at: number("uploaded_at").and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
    }
}

/// Reads JSON; a leading byte order mark, as text editors leave it in files, is passed over.
pub(super) fn json(bytes: &[u8]) -> Result<Value<'_>, ParseError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(text).map_err(|error| ParseError::NotJson {
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
