//! Numbers, flags, times and texts, read as leniently as does no harm.

use chrono::{DateTime, Datelike, Utc};
use serde_json_borrow::Value;

/// Whole floats up to here stand for exactly one whole number (2^53).
const MAX_WHOLE_FLOAT: f64 = 9_007_199_254_740_992.0;

/// Years a killmail can be of: the game opened in 2003. Storage is laid out by year, so a wild year has to
/// stop here.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2099;

/// A whole number: an integer, a float without fraction (`1.0`, `1e3`), or either as text.
pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().and_then(whole).filter(|_| number.is_f64())),
        Value::Str(text) => {
            let text = text.trim();
            text.parse()
                .ok()
                .or_else(|| text.parse().ok().and_then(whole))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A finite number, or one as text.
pub(super) fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Str(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// A flag: a boolean, 1 or 0, or either as text.
pub(super) fn flag(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Str(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::Str(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::Number(_) | Value::Str(_) => match integer(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A time as RFC 3339 writes it, in UTC, cut to whole seconds.
pub(super) fn time(value: &Value<'_>) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?.trim()).ok()?;
    DateTime::from_timestamp(time.timestamp(), 0).filter(|time| YEARS.contains(&time.year()))
}

/// The whole number a float stands for.
fn whole(float: f64) -> Option<i64> {
    if float.fract() != 0.0 || float.abs() > MAX_WHOLE_FLOAT {
        return None;
    }
    // By way of text: the exact conversion, where a cast would need a proof.
    format!("{float:.0}").parse().ok()
}
