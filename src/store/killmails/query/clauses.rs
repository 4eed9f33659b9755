//! What a query asks for, as clauses that all have to hold.

use std::collections::BTreeSet;

use super::HistoricalQuery;
use super::statement::{Statement, Value};
use super::walk::Along;
use crate::domain::{MatchMode, Role, SecurityBand};

/// Where an interest's ids are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// In a column of `killmails`, which has an index.
    Place(&'static str),
    /// In a column of the victim and in one of each attacker, as the role says.
    Party {
        victim: &'static str,
        attacker: &'static str,
        /// False where ids are so few that no index would be selective.
        indexed: bool,
    },
}

/// Ids of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interest<'q> {
    pub(super) ids: &'q BTreeSet<i64>,
    pub(super) columns: Columns,
    pub(super) role: Role,
}

/// Interests of which one has to hold.
#[derive(Debug, Clone)]
pub(super) struct Clause<'q>(pub(super) Vec<Interest<'q>>);

/// The clauses of a query; interests that name nothing are none.
pub(super) fn of(query: &HistoricalQuery) -> Vec<Clause<'_>> {
    let interests: Vec<Interest<'_>> = interests(query)
        .into_iter()
        .filter(|interest| !interest.ids.is_empty())
        .collect();
    let mut clauses: Vec<Clause<'_>> = match query.filter.match_mode {
        MatchMode::All => interests.into_iter().map(|one| Clause(vec![one])).collect(),
        MatchMode::Any if interests.is_empty() => Vec::new(),
        MatchMode::Any => vec![Clause(interests)],
    };
    if !query.wars.is_empty() {
        clauses.push(Clause(vec![Interest {
            ids: &query.wars,
            columns: Columns::Place("war_id"),
            role: Role::Any,
        }]));
    }
    clauses
}

fn interests(query: &HistoricalQuery) -> [Interest<'_>; 9] {
    let filter = &query.filter;
    let party = |victim, attacker, indexed| Columns::Party {
        victim,
        attacker,
        indexed,
    };
    [
        (&filter.systems, Columns::Place("solar_system_id")),
        (&filter.constellations, Columns::Place("constellation_id")),
        (&filter.regions, Columns::Place("region_id")),
        (
            &filter.characters,
            party("victim_character_id", "character_id", true),
        ),
        (
            &filter.corporations,
            party("victim_corporation_id", "corporation_id", true),
        ),
        (
            &filter.alliances,
            party("victim_alliance_id", "alliance_id", true),
        ),
        (
            &filter.factions,
            party("victim_faction_id", "faction_id", false),
        ),
        (
            &filter.ship_types,
            party("ship_type_id", "ship_type_id", true),
        ),
        (
            &filter.ship_groups,
            party("ship_group_id", "ship_group_id", true),
        ),
    ]
    .map(|(ids, columns)| Interest {
        ids,
        columns,
        role: filter.role,
    })
}

impl Interest<'_> {
    pub(super) fn ids(&self) -> Value {
        Value::Ids(self.ids.iter().copied().collect())
    }

    /// The column of `killmails` that this interest looks at, if its role does.
    pub(super) fn killmails_column(&self) -> Option<&'static str> {
        match (self.columns, self.role) {
            (Columns::Place(column), _) => Some(column),
            (Columns::Party { victim, .. }, Role::Any | Role::Victim) => Some(victim),
            (Columns::Party { .. }, Role::Attacker | Role::FinalBlow) => None,
        }
    }

    /// The column of `attackers` that this interest looks at, if its role does.
    pub(super) fn attackers_column(&self) -> Option<&'static str> {
        match (self.columns, self.role) {
            (Columns::Place(_), _) | (Columns::Party { .. }, Role::Victim) => None,
            (Columns::Party { attacker, .. }, Role::Any | Role::Attacker | Role::FinalBlow) => {
                Some(attacker)
            }
        }
    }

    fn is_indexed(&self) -> bool {
        match self.columns {
            Columns::Place(_) => true,
            Columns::Party { indexed, .. } => indexed,
        }
    }

    /// What attackers have to be beside wanted.
    pub(super) fn attackers_condition(&self) -> &'static str {
        match self.role {
            Role::FinalBlow => " AND a.final_blow",
            Role::Any | Role::Victim | Role::Attacker => "",
        }
    }

    /// The interest as a condition on the row `k`. `+ 0` keeps indexes away: the row is at hand, and so are its
    /// attackers. The subquery's limit keeps the planner from turning the look around.
    fn condition(&self, statement: &mut Statement) -> String {
        let ids = statement.bind(self.ids());
        let killmail = self
            .killmails_column()
            .map(|column| format!("k.{column} + 0 = ANY({ids})"));
        let attacker = self.attackers_column().map(|column| {
            format!(
                "(SELECT true FROM attackers AS a WHERE a.killmail_id = k.killmail_id \
                 AND a.killmail_time = k.killmail_time AND a.{column} + 0 = ANY({ids}){} LIMIT 1)",
                self.attackers_condition()
            )
        });
        let both: Vec<String> = killmail.into_iter().chain(attacker).collect();
        both.join(" OR ")
    }
}

impl Clause<'_> {
    /// True when every interest has an index to walk along.
    pub(super) fn can_drive(&self) -> bool {
        self.0.iter().all(Interest::is_indexed)
    }

    /// Walks that it takes: one for each id and table.
    pub(super) fn walks(&self) -> usize {
        let of = |interest: &Interest<'_>| {
            let columns = [interest.killmails_column(), interest.attackers_column()];
            interest.ids.len() * columns.iter().flatten().count()
        };
        self.0.iter().map(of).sum()
    }

    fn condition(&self, statement: &mut Statement) -> String {
        let choices: Vec<String> = (self.0.iter())
            .map(|interest| interest.condition(statement))
            .collect();
        format!("({})", choices.join(" OR "))
    }
}

/// Everything but what is walked along, as conditions on the row `k`; empty where nothing else is asked.
pub(super) fn others(
    query: &HistoricalQuery,
    clauses: &[Clause<'_>],
    along: Along<'_>,
    statement: &mut Statement,
) -> Vec<String> {
    let mut conditions = restrictions(query, statement);
    let rest = clauses.iter().filter(|clause| !along.is_of(clause));
    conditions.extend(rest.map(|clause| clause.condition(statement)));
    conditions
}

/// What has to hold in any case. As in the filter, what is not known does not satisfy.
fn restrictions(query: &HistoricalQuery, statement: &mut Statement) -> Vec<String> {
    let filter = &query.filter;
    let mut conditions = Vec::new();
    for (comparison, value) in [
        ("k.total_value >= ", filter.min_value),
        ("k.total_value <= ", filter.max_value),
    ] {
        let bound = value.map(|value| statement.bind(Value::Number(value)));
        conditions.extend(bound.map(|value| format!("{comparison}{value}")));
    }
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
