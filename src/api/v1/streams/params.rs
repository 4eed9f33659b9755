//! The streams' parameters, with the messages their clients know. Others than these are passed over.

use serde_json::{Value, json};

use crate::api::v1::{Fields, V1Error};
use crate::domain::{Filter, MatchMode};
use crate::store::killmails::history::Interests;

/// Most ids of one list.
const MAX_IDS: usize = 100;

/// Longest history; a longer one is cut to it.
const MAX_PRELOAD_DAYS: i64 = 90;

/// How much of a wrong value a message shows, in characters.
const SHOWN_CHARACTERS: usize = 80;

/// What a stream is asked for: killmails in one of the systems or with one of the characters, and of at least
/// the value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StreamParams {
    pub(super) systems: Vec<i64>,
    pub(super) characters: Vec<i64>,
    pub(super) min_value: Option<f64>,
    pub(super) preload_days: i64,
}

impl StreamParams {
    pub(super) fn read(fields: &Fields) -> Result<Self, V1Error> {
        Ok(Self {
            systems: ids(fields, "system_ids")?,
            characters: ids(fields, "character_ids")?,
            min_value: min_value(fields)?,
            preload_days: preload_days(fields)?,
        })
    }

    pub(super) fn filter(&self) -> Filter {
        Filter {
            systems: self.systems.iter().copied().collect(),
            characters: self.characters.iter().copied().collect(),
            match_mode: MatchMode::Any,
            min_value: self.min_value,
            ..Filter::default()
        }
    }

    pub(super) fn interests(&self) -> Interests {
        Interests {
            systems: self.systems.clone(),
            characters: self.characters.clone(),
            min_value: self.min_value,
        }
    }

    /// As `connected` repeats it.
    pub(super) fn json(&self) -> Value {
        json!({
            "system_ids": self.systems,
            "character_ids": self.characters,
            "min_value": self.min_value,
            "preload_days": self.preload_days,
        })
    }
}

/// A comma list; blanks are skipped, ids named twice count once.
fn ids(fields: &Fields, name: &str) -> Result<Vec<i64>, V1Error> {
    let mut ids = Vec::new();
    for text in texts(fields, name) {
        let parts = text.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            if ids.len() >= MAX_IDS {
                let message = format!("Too many {name} specified (max {MAX_IDS})");
                return Err(V1Error::invalid_format(message));
            }
            let id = part.parse::<i64>();
            ids.push(id.map_err(|_| not_an_integer(name, part))?);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn min_value(fields: &Fields) -> Result<Option<f64>, V1Error> {
    let Some(text) = single(fields, "min_value") else {
        return Ok(None);
    };
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    let value = value.ok_or_else(|| {
        let shown = shown(text);
        V1Error::invalid_format(format!(
            "Invalid min_value: '{shown}' is not a valid number"
        ))
    })?;
    if value < 0.0 {
        let message = format!("min_value must be non-negative, got {value:?}");
        return Err(V1Error::invalid_format(message));
    }
    Ok(Some(value))
}

fn preload_days(fields: &Fields) -> Result<i64, V1Error> {
    let Some(text) = single(fields, "preload_days") else {
        return Ok(0);
    };
    let days = text.parse::<i64>();
    let days = days.map_err(|_| not_an_integer("preload_days", text))?;
    if days < 0 {
        let message = format!("preload_days must be non-negative, got {days}");
        return Err(V1Error::invalid_format(message));
    }
    Ok(days.min(MAX_PRELOAD_DAYS))
}

pub(super) fn not_an_integer(name: &str, text: &str) -> V1Error {
    let shown = shown(text);
    V1Error::invalid_format(format!("Invalid {name}: '{shown}' is not a valid integer"))
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS).collect()
}

/// The texts under a name: one, or those of `name[]`.
fn texts<'a>(fields: &'a Fields, name: &str) -> Vec<&'a str> {
    match fields.get(name) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(value) => value.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

/// The text under a name, unless it is blank.
fn single<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let text = texts(fields, name).last()?.trim();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(query: &str) -> Result<StreamParams, String> {
        StreamParams::read(&Fields::of_query(query)).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_is_optional_and_lists_are_forgiving() {
        assert_eq!(read("unknown=1").unwrap(), StreamParams::default());
        let params =
            read("system_ids=30000142, ,+5,-3,5&character_ids[]=7&min_value=1e9&preload_days=1000");
        let expected = StreamParams {
            systems: vec![-3, 5, 30_000_142],
            characters: vec![7],
            min_value: Some(1e9),
            preload_days: 90,
        };
        assert_eq!(params.unwrap(), expected);
    }

    #[rstest]
    #[case("system_ids=abc", "Invalid system_ids: 'abc' is not a valid integer")]
    #[case("system_ids=1,2x", "Invalid system_ids: '2x' is not a valid integer")]
    #[case(
        "character_ids=1.5",
        "Invalid character_ids: '1.5' is not a valid integer"
    )]
    #[case("min_value=-1", "min_value must be non-negative, got -1.0")]
    #[case("min_value=much", "Invalid min_value: 'much' is not a valid number")]
    #[case("min_value=inf", "Invalid min_value: 'inf' is not a valid number")]
    #[case("preload_days=x", "Invalid preload_days: 'x' is not a valid integer")]
    #[case("preload_days=-1", "preload_days must be non-negative, got -1")]
    fn what_is_wrong_has_its_message(#[case] query: &str, #[case] message: &str) {
        assert_eq!(read(query).unwrap_err(), message);
    }

    #[rstest]
    #[case("system_ids")]
    #[case("character_ids")]
    fn a_hundred_ids_are_the_most(#[case] name: &str) {
        let list = |count: i64| {
            let ids: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
            read(&format!("{name}={}", ids.join(",")))
        };
        assert!(list(100).is_ok());
        let message = list(101).unwrap_err();
        assert_eq!(message, format!("Too many {name} specified (max 100)"));
    }

    proptest::proptest! {
        #[test]
        fn no_query_panics(query in ".{0,200}") {
            drop(read(&format!("system_ids={query}&min_value={query}&preload_days={query}")));
        }
    }
}
