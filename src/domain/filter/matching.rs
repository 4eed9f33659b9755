//! Whether a filter wants a killmail.

use std::collections::BTreeSet;

use super::{Facts, Filter, MatchMode, Party, Role};
use crate::domain::SecurityBand;

pub(super) fn matches(filter: &Filter, facts: &Facts) -> bool {
    restrictions_hold(filter, facts) && interests_hold(filter, facts)
}

/// What has to hold in any case. A killmail without a value, flag or known security does not satisfy a
/// filter on it.
fn restrictions_hold(filter: &Filter, facts: &Facts) -> bool {
    let at_least = |min| facts.total_value.is_some_and(|value| value >= min);
    let at_most = |max| facts.total_value.is_some_and(|value| value <= max);
    filter.min_value.is_none_or(at_least)
        && filter.max_value.is_none_or(at_most)
        && filter.npc.is_none_or(|npc| facts.npc == Some(npc))
        && filter.solo.is_none_or(|solo| facts.solo == Some(solo))
        && filter.awox.is_none_or(|awox| facts.awox == Some(awox))
        && (filter.security.is_empty()
            || SecurityBand::of(facts.solar_system_id, facts.security_status)
                .is_some_and(|band| filter.security.contains(&band)))
        && (filter.labels.is_empty()
            || facts
                .labels
                .iter()
                .any(|label| filter.labels.contains(label)))
}

fn interests_hold(filter: &Filter, facts: &Facts) -> bool {
    let mut interests = [
        place(&filter.systems, Some(facts.solar_system_id)),
        place(&filter.constellations, facts.constellation_id),
        place(&filter.regions, facts.region_id),
        party(filter.role, &filter.characters, facts, |it| it.character_id),
        party(filter.role, &filter.corporations, facts, |it| {
            it.corporation_id
        }),
        party(filter.role, &filter.alliances, facts, |it| it.alliance_id),
        party(filter.role, &filter.factions, facts, |it| it.faction_id),
        party(filter.role, &filter.ship_types, facts, |it| it.ship_type_id),
        party(filter.role, &filter.ship_groups, facts, |it| {
            it.ship_group_id
        }),
    ]
    .into_iter()
    .flatten()
    .peekable();
    match filter.match_mode {
        MatchMode::All => interests.all(|holds| holds),
        MatchMode::Any => interests.peek().is_none() || interests.any(|holds| holds),
    }
}

/// Whether the place is one of `wanted`; `None` where nothing is asked.
fn place(wanted: &BTreeSet<i64>, actual: Option<i64>) -> Option<bool> {
    (!wanted.is_empty()).then(|| actual.is_some_and(|id| wanted.contains(&id)))
}

/// Whether someone in that role has one of the `wanted` ids; `None` where nothing is asked.
fn party(
    role: Role,
    wanted: &BTreeSet<i64>,
    facts: &Facts,
    id: impl Fn(&Party) -> Option<i64>,
) -> Option<bool> {
    if wanted.is_empty() {
        return None;
    }
    let is_wanted = |party: &Party| id(party).is_some_and(|id| wanted.contains(&id));
    let mut attackers = facts.attackers.iter();
    Some(match role {
        Role::Any => is_wanted(&facts.victim) || attackers.any(is_wanted),
        Role::Victim => is_wanted(&facts.victim),
        Role::Attacker => attackers.any(is_wanted),
        Role::FinalBlow => attackers.any(|attacker| attacker.final_blow && is_wanted(attacker)),
    })
}
