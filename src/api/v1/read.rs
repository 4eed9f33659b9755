//! Reading ids, limits and spans the way the old contract does: what is wrong has one fixed message.

use std::collections::HashSet;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Fields, V1Error};
use crate::api::limits::{MAX_BULK_SYSTEMS, MAX_SINCE_HOURS, MAX_V1_KILLMAILS};

/// How far an answer looks back and how many killmails it has, when the request does not say.
const DEFAULT_HOURS: i64 = 24;
const DEFAULT_LIMIT: i64 = 50;

/// How far back, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Cut to [`MAX_SINCE_HOURS`].
    pub(super) hours: i64,
    /// Of each system or character.
    pub(super) limit: i64,
}

impl Span {
    /// The earliest time that is looked at.
    pub(super) fn since(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::hours(self.hours)
    }

    /// Reads the span under these names; `None` when either value is no number in its range.
    pub(super) fn read(fields: &Fields, hours: &[&str], limit: &str) -> Option<Self> {
        let first = hours.iter().find_map(|name| fields.get(name));
        let hours = first.map_or(Some(DEFAULT_HOURS), positive)?;
        let limit = fields.get(limit).map_or(Some(DEFAULT_LIMIT), positive)?;
        (limit <= MAX_V1_KILLMAILS).then_some(Self {
            hours: hours.min(MAX_SINCE_HOURS),
            limit,
        })
    }
}

/// A positive whole number, as JSON or as text. One too large for us is the largest we have.
fn positive(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) if number.is_u64() => number
            .as_i64()
            .or_else(|| number.as_u64().map(|_| i64::MAX)),
        Value::String(text) => positive_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    number.filter(|number| *number > 0)
}

fn positive_text(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(i64::MAX))
}

/// An id from the path, or the error that `otherwise` is.
pub(super) fn id(
    path: Result<Path<String>, PathRejection>,
    otherwise: fn() -> V1Error,
) -> Result<i64, V1Error> {
    let text = path.ok().map(|Path(text)| text);
    text.as_deref()
        .and_then(positive_text)
        .filter(|id| *id > 0)
        .ok_or_else(otherwise)
}

/// The one answer to anything wrong in a request for one system.
pub(super) fn invalid_system() -> V1Error {
    V1Error::bad_request("INVALID_SYSTEM_ID", "Invalid system ID format")
}

/// The same for one character.
pub(super) fn invalid_character() -> V1Error {
    V1Error::bad_request("INVALID_CHARACTER_ID", "Invalid character ID format")
}

/// The systems of a bulk request, each once, in order.
pub(super) fn system_ids(fields: &Fields) -> Result<Vec<i64>, V1Error> {
    let invalid = || V1Error::bad_request("INVALID_SYSTEM_IDS", "Invalid system IDs");
    let list = fields.get("system_ids").and_then(Value::as_array);
    let list = list.filter(|list| !list.is_empty()).ok_or_else(invalid)?;
    let mut seen = HashSet::new();
    let mut systems = Vec::new();
    for value in list {
        let id = value.as_i64().ok_or_else(invalid)?;
        if seen.insert(id) {
            systems.push(id);
        }
    }
    if systems.len() > MAX_BULK_SYSTEMS {
        let message = format!("Too many system IDs (max: {MAX_BULK_SYSTEMS})");
        return Err(V1Error::bad_request("INVALID_SYSTEM_IDS", message));
    }
    Ok(systems)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn span(query: &str) -> Option<(i64, i64)> {
        let fields = Fields::of_query(query);
        Span::read(&fields, &["since_hours", "hours"], "limit").map(|span| (span.hours, span.limit))
    }

    #[rstest]
    #[case("", Some((24, 50)))]
    #[case("since_hours=48&limit=3", Some((48, 3)))]
    #[case("hours=1&limit=1000", Some((1, 1000)))]
    #[case("since_hours=100000", Some((168, 50)))]
    #[case("since_hours=99999999999999999999999", Some((168, 50)))]
    #[case("limit=1001", None)]
    #[case("limit=99999999999999999999999", None)]
    #[case("limit=0", None)]
    #[case("limit=-1", None)]
    #[case("limit=", None)]
    #[case("limit=5x", None)]
    #[case("limit[]=5", None)]
    #[case("since_hours=0", None)]
    #[case("since_hours=1.5", None)]
    fn spans_have_bounds(#[case] query: &str, #[case] expected: Option<(i64, i64)>) {
        assert_eq!(span(query), expected);
    }

    #[rstest]
    #[case(json!(5), Some(5))]
    #[case(json!("5"), Some(5))]
    #[case(json!(u64::MAX), Some(i64::MAX))]
    #[case(json!(5.0), None)]
    #[case(json!(-5), None)]
    #[case(json!(null), None)]
    #[case(json!([5]), None)]
    fn numbers_come_as_json_or_text(#[case] value: Value, #[case] expected: Option<i64>) {
        assert_eq!(positive(&value), expected);
    }
}
