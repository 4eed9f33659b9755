//! What a query asks for, as clauses that all have to hold.

use std::collections::BTreeSet;

use super::super::ship_groups;
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

/// The column of regions. Its index includes what killmails are worth and which groups of ships took part.
const REGION: &str = "region_id";

/// The column of the groups of victims' ships.
const SHIP_GROUP: &str = "ship_group_id";

/// Groups of ships that an index is asked for at most; each is searched in every killmail on the way.
const MAX_RULING_GROUPS: usize = 8;

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
        (&filter.regions, Columns::Place(REGION)),
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
            party(SHIP_GROUP, "ship_group_id", true),
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

    /// True where one of the interests is in regions, whose index is walked for it.
    pub(super) fn has_regions(&self) -> bool {
        let is_region = |it: &Interest<'_>| it.columns == Columns::Place(REGION);
        self.0.iter().any(is_region)
    }

    /// True for groups of ships alone: the index of regions tells which killmails lack them.
    pub(super) fn rules_out(&self) -> bool {
        let [
            Interest {
                ids,
                columns: Columns::Party { victim, .. },
                ..
            },
        ] = self.0.as_slice()
        else {
            return false;
        };
        *victim == SHIP_GROUP && ids.len() <= MAX_RULING_GROUPS
    }

    fn not_ruled_out(&self, statement: &mut Statement) -> String {
        let ids = self.0.iter().flat_map(|interest| interest.ids);
        let mut choices = vec!["k.ship_group_codes IS NULL".to_owned()];
        choices.extend(ids.map(|id| {
            let code = statement.bind(Value::Bytes(ship_groups::code(*id).to_vec()));
            format!("position({code} IN k.ship_group_codes) > 0")
        }));
        format!("({})", choices.join(" OR "))
    }

    fn condition(&self, statement: &mut Statement) -> String {
        let choices: Vec<String> = (self.0.iter())
            .map(|interest| interest.condition(statement))
            .collect();
        format!("({})", choices.join(" OR "))
    }
}

/// Everything but what is walked along, as conditions on the row `k`.
pub(super) struct Others {
    /// On what the killmail was worth.
    pub(super) values: Vec<String>,
    /// On anything else.
    pub(super) rest: Vec<String>,
    /// What a walk along regions can tell of the groups in `rest` beforehand: it lets through what has them, and what is
    /// not known to lack them.
    pub(super) ship_groups: Option<String>,
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
                ship_groups = Some(clause.not_ruled_out(statement));
            }
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
