//! What is looked at on the way, beside what is walked along.

use super::HistoricalQuery;
use super::clauses::Clause;
use super::statement::{Statement, Value};
use super::walk::Along;
use crate::domain::SecurityBand;

/// Everything but what is walked along, as conditions on the row `k`.
pub(super) struct Others {
    /// On what the killmail was worth.
    pub(super) values: Vec<String>,
    /// On anything else.
    pub(super) rest: Vec<String>,
    /// What a walk along regions can tell beforehand of the groups of ships in `rest`.
    pub(super) ship_groups: Option<ShipGroups>,
}

/// What the index of regions tells of groups of ships.
pub(super) struct ShipGroups {
    /// Lets through what has one of them, and what is not known to lack them.
    pub(super) not_ruled_out: String,
    /// Of killmails with codes there is nothing else to ask than this.
    pub(super) tells_all: bool,
}

impl Others {
    pub(super) fn of(
        query: &HistoricalQuery,
        clauses: &[Clause<'_>],
        along: Along<'_>,
        statement: &mut Statement,
    ) -> Self {
        let values = values(query, statement);
        let mut rest = restrictions(query, statement);
        let mut ship_groups = None;
        for clause in clauses.iter().filter(|clause| !along.is_of(clause)) {
            rest.push(clause.condition(statement));
            if along.is_of_regions() && clause.rules_out() {
                ship_groups = Some(ShipGroups {
                    not_ruled_out: clause.not_ruled_out(statement),
                    tells_all: clause.is_of_any_role(),
                });
            }
        }
        if let Some(ship_groups) = &mut ship_groups {
            ship_groups.tells_all &= rest.len() == 1;
        }
        Self {
            values,
            rest,
            ship_groups,
        }
    }

    pub(super) fn all(&self) -> Vec<&str> {
        let all = self.values.iter().chain(&self.rest);
        all.map(String::as_str).collect()
    }
}

/// As in the filter, what is not known does not satisfy.
fn values(query: &HistoricalQuery, statement: &mut Statement) -> Vec<String> {
    let mut conditions = Vec::new();
    for (comparison, value) in [
        ("k.total_value >= ", query.filter.min_value),
        ("k.total_value <= ", query.filter.max_value),
    ] {
        let bound = value.map(|value| statement.bind(Value::Number(value)));
        conditions.extend(bound.map(|value| format!("{comparison}{value}")));
    }
    conditions
}

/// What else has to hold in any case.
fn restrictions(query: &HistoricalQuery, statement: &mut Statement) -> Vec<String> {
    let filter = &query.filter;
    let mut conditions = Vec::new();
    for (comparison, value) in [
        ("k.npc = ", filter.npc),
        ("k.solo = ", filter.solo),
        ("k.awox = ", filter.awox),
    ] {
        let bound = value.map(|value| statement.bind(Value::Flag(value)));
        conditions.extend(bound.map(|value| format!("{comparison}{value}")));
    }
    if !filter.security.is_empty() {
        let bands: Vec<&str> = filter.security.iter().copied().map(security).collect();
        conditions.push(format!("({})", bands.join(" OR ")));
    }
    if !filter.labels.is_empty() {
        let labels = filter.labels.iter().cloned().collect();
        let labels = statement.bind(Value::Texts(labels));
        conditions.push(format!("k.labels && {labels}"));
    }
    conditions
}

/// A band as [`SecurityBand::of`] has it. `NaN` is above every number here.
fn security(band: SecurityBand) -> &'static str {
    match band {
        SecurityBand::Wormhole => "(k.solar_system_id + 0 BETWEEN 31000000 AND 31999999)",
        SecurityBand::Abyssal => "(k.solar_system_id + 0 BETWEEN 32000000 AND 34999999)",
        SecurityBand::Highsec => {
            "(k.security_status >= 0.45 AND k.security_status <> 'NaN' \
             AND k.solar_system_id + 0 NOT BETWEEN 31000000 AND 34999999)"
        }
        SecurityBand::Lowsec => {
            "(k.security_status > 0 AND k.security_status < 0.45 \
             AND k.solar_system_id + 0 NOT BETWEEN 31000000 AND 34999999)"
        }
        SecurityBand::Nullsec => {
            "(k.security_status <= 0 AND k.solar_system_id + 0 NOT BETWEEN 31000000 AND 34999999)"
        }
    }
}
