//! People by the million, for tests that need more than the generator's own: their names follow from their ids.

use std::ops::RangeInclusive;

use crate::domain::EntityName;

const PILOTS: RangeInclusive<i64> = 2_120_000_000..=2_120_999_999;
/// NPCs that have an id of their own.
const NPCS: RangeInclusive<i64> = 3_000_000..=3_999_999;
const CORPORATIONS: RangeInclusive<i64> = 98_700_000..=98_799_999;
const ALLIANCES: RangeInclusive<i64> = 99_020_000..=99_029_999;

/// Name and category of an id.
pub(crate) fn name(id: i64) -> Option<(String, &'static str)> {
    if PILOTS.contains(&id) {
        return Some((format!("Pilot {id}"), "character"));
    }
    if NPCS.contains(&id) {
        return Some((format!("Agent {id}"), "character"));
    }
    if let Some(it) = corporation(id) {
        return Some((it.name, "corporation"));
    }
    alliance(id).map(|it| (it.name, "alliance"))
}

/// A corporation.
pub(crate) fn corporation(id: i64) -> Option<EntityName> {
    CORPORATIONS
        .contains(&id)
        .then(|| organisation("Corporation", "C", id))
}

/// An alliance.
pub(crate) fn alliance(id: i64) -> Option<EntityName> {
    ALLIANCES
        .contains(&id)
        .then(|| organisation("Alliance", "A", id))
}

fn organisation(word: &str, letter: &str, id: i64) -> EntityName {
    EntityName {
        name: format!("{word} {id}"),
        ticker: Some(format!("{letter}{:04}", id % 10_000)),
    }
}
