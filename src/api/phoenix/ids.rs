//! Lists of ids as clients send them, refused with WandererKills' own words.

use std::ops::RangeInclusive;

use serde_json::value::RawValue;

use crate::api::limits::{MAX_SUBSCRIBED_CHARACTERS, MAX_SUBSCRIBED_SYSTEMS};

/// A kind of id and its rules.
#[derive(Debug)]
pub(super) struct Kind {
    /// The payload's field.
    pub(super) field: &'static str,
    /// Most ids of one message, and of one subscription.
    pub(super) most: usize,
    range: RangeInclusive<i64>,
    code: &'static str,
    plural: &'static str,
    shown: &'static str,
}

/// Solar systems.
pub(super) const SYSTEMS: Kind = Kind {
    field: "systems",
    most: MAX_SUBSCRIBED_SYSTEMS,
    range: 1..=50_000_000,
    code: "system",
    plural: "systems",
    shown: "System",
};

/// Characters.
pub(super) const CHARACTERS: Kind = Kind {
    field: "character_ids",
    most: MAX_SUBSCRIBED_CHARACTERS,
    range: 90_000_000..=3_000_000_000,
    code: "character",
    plural: "characters",
    shown: "Character",
};

/// Why a list was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no list, or holds a number that none can hold: WandererKills has no words for these.
    Malformed,
    /// The reason to tell.
    Reason(String),
}

impl Kind {
    /// Reads a list: first its length is judged, then that all are integers, then that all are in range.
    pub(super) fn read(&self, list: &RawValue) -> Result<Vec<i64>, Refusal> {
        let values: Vec<&RawValue> =
            serde_json::from_str(list.get()).map_err(|_| Refusal::Malformed)?;
        if values.len() > self.most {
            return Err(Refusal::Reason(self.too_many()));
        }
        let mut integers = true;
        for value in &values {
            integers &= is_integer(value.get());
            if is_beyond_numbers(value.get()) {
                return Err(Refusal::Malformed);
            }
        }
        if !integers {
            let Self { code, shown, .. } = self;
            return Err(Refusal::Reason(format!(
                "[validation:non_integer_{code}_ids] {shown} IDs must be integers"
            )));
        }
        let in_range = |value: &&RawValue| {
            let id = value.get().parse().ok()?;
            self.range.contains(&id).then_some(id)
        };
        let ids: Option<Vec<i64>> = values.iter().map(in_range).collect();
        ids.ok_or_else(|| {
            let code = self.code;
            Refusal::Reason(format!(
                "[validation:invalid_{code}_ids] Invalid {code} IDs"
            ))
        })
    }

    /// The reason for a list or a subscription with more than it may have.
    pub(super) fn too_many(&self) -> String {
        let Self { plural, most, .. } = self;
        format!("[validation:too_many_{plural}] Too many {plural} (max: {most})")
    }
}

fn is_integer(json: &str) -> bool {
    let digits = json.strip_prefix('-').unwrap_or(json);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A float like `1e999`, which no machine number holds.
fn is_beyond_numbers(json: &str) -> bool {
    !is_integer(json) && json.parse::<f64>().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(kind: &Kind, json: &str) -> Result<Vec<i64>, Refusal> {
        kind.read(serde_json::from_str(json).unwrap())
    }

    #[rstest]
    #[case(&SYSTEMS, "[]", &[])]
    #[case(&SYSTEMS, "[ 1, 50000000, 1 ]", &[1, 50_000_000, 1])]
    #[case(&CHARACTERS, "[90000000,3000000000]", &[90_000_000, 3_000_000_000])]
    fn lists_are_read(#[case] kind: &Kind, #[case] json: &str, #[case] expected: &[i64]) {
        assert_eq!(read(kind, json).unwrap(), expected);
    }

    #[rstest]
    #[case(&SYSTEMS, "[0]", "[validation:invalid_system_ids] Invalid system IDs")]
    #[case(&SYSTEMS, "[50000001]", "[validation:invalid_system_ids] Invalid system IDs")]
    #[case(&SYSTEMS, "[-1]", "[validation:invalid_system_ids] Invalid system IDs")]
    #[case(&SYSTEMS, "[99999999999999999999999]", "[validation:invalid_system_ids] Invalid system IDs")]
    #[case(&SYSTEMS, r#"[0,"30000142"]"#, "[validation:non_integer_system_ids] System IDs must be integers")]
    #[case(&SYSTEMS, "[1.0]", "[validation:non_integer_system_ids] System IDs must be integers")]
    #[case(&SYSTEMS, "[null]", "[validation:non_integer_system_ids] System IDs must be integers")]
    #[case(&CHARACTERS, "[89999999]", "[validation:invalid_character_ids] Invalid character IDs")]
    #[case(&CHARACTERS, "[3000000001]", "[validation:invalid_character_ids] Invalid character IDs")]
    #[case(&CHARACTERS, "[[]]", "[validation:non_integer_character_ids] Character IDs must be integers")]
    fn one_bad_id_refuses_the_list(#[case] kind: &Kind, #[case] json: &str, #[case] reason: &str) {
        assert_eq!(read(kind, json), Err(Refusal::Reason(reason.to_owned())));
    }

    #[rstest]
    #[case(&SYSTEMS, "[validation:too_many_systems] Too many systems (max: 10000)")]
    #[case(&CHARACTERS, "[validation:too_many_characters] Too many characters (max: 50000)")]
    fn length_is_judged_first(#[case] kind: &Kind, #[case] reason: &str) {
        let long = format!("[{}\"x\"]", "0,".repeat(kind.most));
        assert_eq!(read(kind, &long), Err(Refusal::Reason(reason.to_owned())));
    }

    #[rstest]
    #[case("null")]
    #[case("{}")]
    #[case(r#""x""#)]
    #[case("[1e999]")]
    fn what_is_no_list_is_malformed(#[case] json: &str) {
        assert_eq!(read(&SYSTEMS, json), Err(Refusal::Malformed));
    }
}
