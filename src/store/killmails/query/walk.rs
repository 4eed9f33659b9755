//! The walk through the indexes, as one statement.

use std::ptr;

use super::HistoricalQuery;
use super::bounds::{BoundValues, Bounds};
use super::clauses::{Clause, Interest};
use super::others::{Others, ShipGroups};
use super::statement::{Statement, Value};

/// What is walked along.
#[derive(Debug, Clone, Copy)]
pub(super) enum Along<'c> {
    /// Time itself.
    Time,
    /// A clause.
    One(&'c Clause<'c>),
    /// Two clauses side by side.
    Both(&'c Clause<'c>, &'c Clause<'c>),
}

impl Along<'_> {
    /// True for a clause that is walked along.
    pub(super) fn is_of(&self, clause: &Clause<'_>) -> bool {
        match self {
            Self::Time => false,
            Self::One(one) => ptr::eq(*one, clause),
            Self::Both(one, other) => ptr::eq(*one, clause) || ptr::eq(*other, clause),
        }
    }

    /// True where regions are walked along, by their index alone or beside others that are not merged with it.
    pub(super) fn is_of_regions(&self) -> bool {
        match self {
            Self::One(one) => one.has_regions(),
            Self::Time | Self::Both(..) => false,
        }
    }
}

/// One walk: what the pieces of a statement have in common.
struct Walk {
    bounds: BoundValues,
    others: Others,
    limit: String,
}

/// The statement for up to `limit` places.
pub(super) fn statement(
    query: &HistoricalQuery,
    clauses: &[Clause<'_>],
    along: Along<'_>,
    bounds: &Bounds,
    limit: i64,
) -> Statement {
    let mut statement = Statement::default();
    let walk = Walk {
        bounds: bounds.bind(&mut statement),
        others: Others::of(query, clauses, along, &mut statement),
        limit: statement.bind(Value::Integer(limit)),
    };
    let sql = match along {
        Along::Time => walk.first_of(&[walk.along_time()]),
        Along::One(clause) => {
            let interests = clause.0.iter();
            let branches: Vec<String> = interests
                .flat_map(|interest| walk.along(interest, &mut statement))
                .collect();
            walk.first_of(&branches)
        }
        Along::Both(one, other) => walk.along_both(one, other, &mut statement),
    };
    statement.push(&sql);
    statement
}

impl Walk {
    /// A killmail may be found along several ids and by several branches.
    fn first_of(&self, branches: &[String]) -> String {
        format!(
            "SELECT DISTINCT w.killmail_time, w.killmail_id FROM ({}) AS w {} LIMIT {}",
            branches.join(" UNION ALL "),
            self.bounds.order_by("w"),
            self.limit,
        )
    }

    fn along_time(&self) -> String {
        format!("({})", self.killmails("true"))
    }

    /// A branch for each table that the interest looks at.
    fn along(&self, interest: &Interest<'_>, statement: &mut Statement) -> Vec<String> {
        let ids = statement.bind(interest.ids());
        let each = |walk: String| {
            format!(
                "(SELECT n.killmail_time, n.killmail_id FROM unnest({ids}) AS s (id) \
                 CROSS JOIN LATERAL ({walk}) AS n)"
            )
        };
        let killmails = interest
            .killmails_column()
            .map(|column| each(self.killmails(&format!("k.{column} = s.id"))));
        let attackers = interest.attackers_column().map(|column| {
            let condition = interest.attackers_condition();
            each(self.attackers(&format!("a.{column} = s.id{condition}")))
        });
        killmails.into_iter().chain(attackers).collect()
    }

    fn killmails(&self, condition: &str) -> String {
        if let Some(ship_groups) = &self.others.ship_groups {
            return self.in_regions(condition, ship_groups);
        }
        let places = self.places_of_killmails("", &[&[condition], &*self.others.all()].concat());
        format!("{places} LIMIT {}", self.limit)
    }

    /// The index of regions tells what each killmail was worth, and which have a ship of some groups: the others are
    /// passed over without a look at their rows. An `OFFSET` keeps the looks behind that.
    fn in_regions(&self, condition: &str, ship_groups: &ShipGroups) -> String {
        let values = self.others.values.iter().map(String::as_str);
        let told = [condition, &ship_groups.not_ruled_out];
        let conditions: Vec<&str> = told.into_iter().chain(values).collect();
        let rest: Vec<&str> = self.others.rest.iter().map(String::as_str).collect();
        let places =
            self.places_of_killmails(", k.ship_group_codes IS NOT NULL AS is_told", &conditions);
        let unless = if ship_groups.tells_all {
            "d.is_told OR "
        } else {
            ""
        };
        self.looked_at_unless(unless, &format!("{places} OFFSET 0"), &rest)
    }

    fn places_of_killmails(&self, columns: &str, conditions: &[&str]) -> String {
        format!(
            "SELECT k.killmail_time, k.killmail_id{columns} FROM killmails AS k WHERE {} AND {} {}",
            conditions.join(" AND "),
            self.bounds.condition("k"),
            self.bounds.order_by("k"),
        )
    }

    /// Several attackers of one killmail are one place: they are made one before the killmail is looked at.
    fn attackers(&self, condition: &str) -> String {
        let distinct = format!(
            "SELECT DISTINCT a.killmail_time, a.killmail_id FROM attackers AS a \
             WHERE {condition} AND {} {}",
            self.bounds.condition("a"),
            self.bounds.order_by("a"),
        );
        let others = self.others.all();
        if others.is_empty() {
            return format!("{distinct} LIMIT {}", self.limit);
        }
        self.looked_at(&distinct, &others)
    }

    /// Those of `places`, which are in order, that all conditions hold for.
    fn looked_at(&self, places: &str, conditions: &[&str]) -> String {
        self.looked_at_unless("", places, conditions)
    }

    fn looked_at_unless(&self, unless: &str, places: &str, conditions: &[&str]) -> String {
        let look = if conditions.is_empty() {
            String::new()
        } else {
            format!(
                "WHERE {unless}(SELECT {} FROM killmails AS k WHERE k.killmail_id = d.killmail_id \
                 AND k.killmail_time = d.killmail_time LIMIT 1) ",
                conditions.join(" AND "),
            )
        };
        format!(
            "SELECT d.killmail_time, d.killmail_id FROM ({places}) AS d {look}{} LIMIT {}",
            self.bounds.order_by("d"),
            self.limit,
        )
    }

    /// Both clauses are read in the order of the answer and only as far as it goes, by a merge join. An `OFFSET`
    /// keeps each piece in its order, and looks behind the join.
    fn along_both(
        &self,
        one: &Clause<'_>,
        other: &Clause<'_>,
        statement: &mut Statement,
    ) -> String {
        let in_both = format!(
            "SELECT DISTINCT o.killmail_time, o.killmail_id FROM ({}) AS o \
             WHERE (o.killmail_time, o.killmail_id) IN ({}) {} OFFSET 0",
            self.in_order(one, statement),
            self.in_order(other, statement),
            self.bounds.order_by("o"),
        );
        self.looked_at(&in_both, &self.others.all())
    }

    /// The places of a clause, some of them more than once.
    fn in_order(&self, clause: &Clause<'_>, statement: &mut Statement) -> String {
        let mut walks = Vec::with_capacity(clause.walks());
        let each = |table, alias, condition| {
            format!(
                "(SELECT {alias}.killmail_time, {alias}.killmail_id FROM {table} AS {alias} \
                 WHERE {condition} AND {} {})",
                self.bounds.condition(alias),
                self.bounds.order_by(alias),
            )
        };
        for interest in &clause.0 {
            for id in interest.ids {
                let id = statement.bind(Value::Integer(*id));
                walks.extend(
                    interest
                        .killmails_column()
                        .map(|column| each("killmails", "k", format!("k.{column} = {id}"))),
                );
                walks.extend(interest.attackers_column().map(|column| {
                    let condition = interest.attackers_condition();
                    each("attackers", "a", format!("a.{column} = {id}{condition}"))
                }));
            }
        }
        format!(
            "SELECT s.killmail_time, s.killmail_id FROM ({}) AS s {} OFFSET 0",
            walks.join(" UNION ALL "),
            self.bounds.order_by("s"),
        )
    }
}
