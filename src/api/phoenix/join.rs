//! What a join asks for.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::ids::{CHARACTERS, Kind, Refusal, SYSTEMS};
use crate::api::limits::{MAX_PRELOAD_HOURS, MAX_PRELOAD_PER_SYSTEM};
use crate::domain::FeedSequence;

/// Killmails of one system in a preload when the join does not say.
const DEFAULT_PRELOAD_PER_SYSTEM: i64 = 5;

/// Hours that a preload looks back when the join does not say.
const DEFAULT_PRELOAD_HOURS: i64 = 24;

/// The parameters of a join.
#[derive(Debug, PartialEq)]
pub(super) struct Join {
    pub(super) systems: Vec<i64>,
    pub(super) character_ids: Vec<i64>,
    pub(super) preload: PreloadOptions,
    /// Our own: the cursor of the last killmail that was seen. The feed is resumed behind it.
    pub(super) after: Option<FeedSequence>,
}

/// How much of the past a subscription to systems brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PreloadOptions {
    pub(super) enabled: bool,
    pub(super) limit_per_system: i64,
    pub(super) since_hours: i64,
}

impl Default for PreloadOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            limit_per_system: DEFAULT_PRELOAD_PER_SYSTEM,
            since_hours: DEFAULT_PRELOAD_HOURS,
        }
    }
}

/// The fields of a payload; `None` when it is no object.
pub(super) fn fields(payload: &str) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(payload).ok()
}

impl Join {
    /// Reads a join's payload with WandererKills' rules: where neither `systems` nor `character_ids` is a
    /// list, both are ignored; where one is, the other has to be one too, or absent.
    pub(super) fn read(payload: &str) -> Result<Self, Refusal> {
        let fields = fields(payload).ok_or(Refusal::Malformed)?;
        let is_list = |kind: &Kind| {
            let value = fields.get(kind.field);
            value.is_some_and(|value| value.get().starts_with('['))
        };
        let listed = is_list(&SYSTEMS) || is_list(&CHARACTERS);
        let ids = |kind: &Kind| match fields.get(kind.field) {
            Some(value) if listed => kind.read(value),
            Some(_) | None => Ok(Vec::new()),
        };
        Ok(Self {
            systems: ids(&SYSTEMS)?,
            character_ids: ids(&CHARACTERS)?,
            preload: fields
                .get("preload")
                .map_or_else(PreloadOptions::default, |value| PreloadOptions::read(value)),
            after: after(fields.get("after").copied())?,
        })
    }
}

impl PreloadOptions {
    /// Reads the options, leniently: whatever can't be understood has its default.
    fn read(value: &RawValue) -> Self {
        let default = Self::default();
        let value: serde_json::Value = serde_json::from_str(value.get()).unwrap_or_default();
        let number = |field: &str, otherwise: i64, most: i64| {
            let given = value.get(field).and_then(serde_json::Value::as_i64);
            given.unwrap_or(otherwise).clamp(0, most)
        };
        let limit_per_system = number(
            "limit_per_system",
            default.limit_per_system,
            MAX_PRELOAD_PER_SYSTEM,
        );
        let since_hours = number("since_hours", default.since_hours, MAX_PRELOAD_HOURS);
        let refused = value.get("enabled") == Some(&serde_json::Value::Bool(false));
        Self {
            enabled: !refused && limit_per_system > 0 && since_hours > 0,
            limit_per_system,
            since_hours,
        }
    }
}

fn after(value: Option<&RawValue>) -> Result<Option<FeedSequence>, Refusal> {
    let Some(value) = value.filter(|value| value.get() != "null") else {
        return Ok(None);
    };
    match value.get().parse() {
        Ok(cursor) if cursor >= 0 => Ok(Some(FeedSequence(cursor))),
        Ok(_) | Err(_) => Err(Refusal::Reason(
            "[validation:invalid_after] after must be a whole number of at least 0".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("{}", &[], &[])]
    #[case(r#"{"systems":"x"}"#, &[], &[])]
    #[case(r#"{"systems":null}"#, &[], &[])]
    #[case(r#"{"systems":{},"character_ids":7}"#, &[], &[])]
    #[case(r#"{"systems":[30000142],"client_identifier":"x"}"#, &[30_000_142], &[])]
    #[case(r#"{"character_ids":[95465499]}"#, &[], &[95_465_499])]
    #[case(r#"{"systems":[1],"character_ids":[95465499]}"#, &[1], &[95_465_499])]
    fn lists_are_taken(#[case] payload: &str, #[case] systems: &[i64], #[case] characters: &[i64]) {
        let join = Join::read(payload).unwrap();
        assert_eq!(
            (&*join.systems, &*join.character_ids),
            (systems, characters)
        );
        assert_eq!(join.preload, PreloadOptions::default());
    }

    #[rstest]
    #[case(r#""str""#)]
    #[case("null")]
    #[case("[1]")]
    #[case(r#"{"systems":[1],"character_ids":null}"#)]
    #[case(r#"{"systems":"x","character_ids":[95465499]}"#)]
    fn what_makes_wanderer_kills_crash_is_malformed(#[case] payload: &str) {
        assert_eq!(Join::read(payload), Err(Refusal::Malformed));
    }

    #[rstest]
    #[case("{}", true, 5, 24)]
    #[case(r#""all""#, true, 5, 24)]
    #[case(r#"{"enabled":false}"#, false, 5, 24)]
    #[case(
        r#"{"enabled":true,"limit_per_system":20,"since_hours":12}"#,
        true,
        20,
        12
    )]
    #[case(r#"{"limit_per_system":"many","since_hours":null}"#, true, 5, 24)]
    #[case(r#"{"limit_per_system":100000,"since_hours":100000}"#, true, 100, 168)]
    #[case(r#"{"limit_per_system":0}"#, false, 0, 24)]
    fn a_preload_is_read_leniently(
        #[case] preload: &str,
        #[case] enabled: bool,
        #[case] limit_per_system: i64,
        #[case] since_hours: i64,
    ) {
        let join = Join::read(&format!(r#"{{"preload":{preload}}}"#)).unwrap();
        let expected = PreloadOptions {
            enabled,
            limit_per_system,
            since_hours,
        };
        assert_eq!(join.preload, expected);
    }

    #[rstest]
    #[case("12", Some(12))]
    #[case("0", Some(0))]
    #[case("null", None)]
    fn a_cursor_is_a_number(#[case] after: &str, #[case] expected: Option<i64>) {
        let join = Join::read(&format!(r#"{{"after":{after}}}"#)).unwrap();
        assert_eq!(join.after, expected.map(FeedSequence));
    }

    #[rstest]
    #[case("-1")]
    #[case("1.5")]
    #[case(r#""12""#)]
    #[case("99999999999999999999")]
    fn a_wrong_cursor_is_refused(#[case] after: &str) {
        let read = Join::read(&format!(r#"{{"after":{after}}}"#));
        assert!(matches!(read, Err(Refusal::Reason(reason)) if reason.contains("invalid_after")));
    }
}
