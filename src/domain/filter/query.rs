//! A filter as query parameters.

use std::collections::BTreeSet;

use super::validate::{ID_ALLOWED, VALUE_ALLOWED};
use super::{Filter, FilterError, MAX_IDS_PER_SET, MatchMode, Role};
use crate::domain::SecurityBand;

/// See [`Filter::from_pairs`].
pub(super) fn from_pairs(
    pairs: impl IntoIterator<Item = (String, String)>,
) -> Result<(Filter, Vec<(String, String)>), FilterError> {
    let mut filter = Filter::default();
    let mut others = Vec::new();
    for (key, value) in pairs {
        if !take(&mut filter, &key, &value)? {
            others.push((key, value));
        }
    }
    filter.validate()?;
    Ok((filter, others))
}

/// Reads one parameter into the filter; false when the key is not a filter's.
fn take(filter: &mut Filter, key: &str, value: &str) -> Result<bool, FilterError> {
    let name = key.strip_suffix("[]").unwrap_or(key);
    if let Some(set) = id_set(filter, name) {
        ids(set, key, value)?;
        return Ok(true);
    }
    match name {
        "labels" | "label" => labels(&mut filter.labels, key, value)?,
        "security" => security(&mut filter.security, key, value)?,
        "match" => {
            filter.match_mode = word(
                key,
                value,
                &[("all", MatchMode::All), ("any", MatchMode::Any)],
            )?;
        }
        "role" => {
            let roles = [
                ("any", Role::Any),
                ("victim", Role::Victim),
                ("attacker", Role::Attacker),
                ("final_blow", Role::FinalBlow),
            ];
            filter.role = word(key, value, &roles)?;
        }
        "min_value" => filter.min_value = Some(isk(key, value)?),
        "max_value" => filter.max_value = Some(isk(key, value)?),
        "npc" => filter.npc = Some(flag(key, value)?),
        "solo" => filter.solo = Some(flag(key, value)?),
        "awox" => filter.awox = Some(flag(key, value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The set that a key fills.
fn id_set<'f>(filter: &'f mut Filter, name: &str) -> Option<&'f mut BTreeSet<i64>> {
    Some(match name {
        "systems" | "system_id" | "system_ids" | "solar_system_id" | "solar_system_ids" => {
            &mut filter.systems
        }
        "constellations" | "constellation_id" | "constellation_ids" => &mut filter.constellations,
        "regions" | "region_id" | "region_ids" => &mut filter.regions,
        "characters" | "character_id" | "character_ids" => &mut filter.characters,
        "corporations" | "corporation_id" | "corporation_ids" => &mut filter.corporations,
        "alliances" | "alliance_id" | "alliance_ids" => &mut filter.alliances,
        "factions" | "faction_id" | "faction_ids" => &mut filter.factions,
        "ship_types" | "ship_type_id" | "ship_type_ids" => &mut filter.ship_types,
        "ship_groups" | "ship_group_id" | "ship_group_ids" => &mut filter.ship_groups,
        _ => return None,
    })
}

/// Adds a comma list of ids. The limit is looked at on the way, so that memory is bounded too; ids that are named
/// twice count twice.
fn ids(set: &mut BTreeSet<i64>, key: &str, value: &str) -> Result<(), FilterError> {
    for (place, part) in value.split(',').enumerate() {
        let id = part.trim().parse().ok().filter(|id| *id > 0);
        set.insert(id.ok_or_else(|| FilterError::new(key, part, ID_ALLOWED))?);
        bounded(set.len().max(place + 1), key)?;
    }
    Ok(())
}

/// Adds a comma list of labels. A `+` that was not escaped arrives as a space, and no label has one.
fn labels(set: &mut BTreeSet<String>, key: &str, value: &str) -> Result<(), FilterError> {
    for (place, part) in value.split(',').enumerate() {
        let label = part.trim_start().replace(' ', "+");
        if label.is_empty() {
            return Err(FilterError::new(key, part, "labels such as loc:nullsec"));
        }
        set.insert(label);
        bounded(set.len().max(place + 1), key)?;
    }
    Ok(())
}

/// Adds a comma list of kinds of space.
fn security(set: &mut BTreeSet<SecurityBand>, key: &str, value: &str) -> Result<(), FilterError> {
    let words = SecurityBand::ALL.map(|band| (band.as_str(), band));
    for part in value.split(',') {
        set.insert(word(key, part.trim(), &words)?);
    }
    Ok(())
}

/// Refuses more entries than a set may have.
pub(super) fn bounded(size: usize, key: &str) -> Result<(), FilterError> {
    if size <= MAX_IDS_PER_SET {
        return Ok(());
    }
    let allowed = format!("at most {MAX_IDS_PER_SET} entries");
    Err(FilterError::new(key, "more", allowed))
}

fn word<T: Copy>(key: &str, value: &str, words: &[(&str, T)]) -> Result<T, FilterError> {
    let known = words.iter().find(|(word, _)| *word == value);
    known.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        FilterError::new(key, value, allowed.join(", "))
    })
}

fn flag(key: &str, value: &str) -> Result<bool, FilterError> {
    word(
        key,
        value,
        &[("true", true), ("false", false), ("1", true), ("0", false)],
    )
}

fn isk(key: &str, value: &str) -> Result<f64, FilterError> {
    let number = value.trim().parse().ok();
    number
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| FilterError::new(key, value, VALUE_ALLOWED))
}
