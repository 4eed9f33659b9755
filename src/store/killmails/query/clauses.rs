//! What a query asks for, as clauses that all have to hold.

use std::collections::BTreeSet;

use super::super::ship_groups;
use super::HistoricalQuery;
use super::statement::{Statement, Value};
use crate::domain::{MatchMode, Role};

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

    /// True where any role is wanted: then whoever has the code of a group is.
    pub(super) fn is_of_any_role(&self) -> bool {
        self.0.iter().all(|interest| interest.role == Role::Any)
    }

    pub(super) fn not_ruled_out(&self, statement: &mut Statement) -> String {
        let ids = self.0.iter().flat_map(|interest| interest.ids);
        let mut choices = vec!["k.ship_group_codes IS NULL".to_owned()];
        // Killmails with a group that has no code have no codes at all.
        let codes = ids.filter_map(|id| ship_groups::code(*id));
        choices.extend(codes.map(|code| {
            let code = statement.bind(Value::Bytes(code.to_vec()));
            format!("position({code} IN k.ship_group_codes) > 0")
        }));
        format!("({})", choices.join(" OR "))
    }

    pub(super) fn condition(&self, statement: &mut Statement) -> String {
        let choices: Vec<String> = (self.0.iter())
            .map(|interest| interest.condition(statement))
            .collect();
        format!("({})", choices.join(" OR "))
    }
}
