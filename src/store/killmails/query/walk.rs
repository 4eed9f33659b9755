//! The walk through the indexes, as one statement.

use chrono::{DateTime, Utc};

use super::clauses::{self, Clause, Interest};
use super::statement::{Statement, Value};
use super::{HistoricalQuery, Order, Place};

/// Years 0 and 10000, between which every killmail's time lies.
const BEGINNING: DateTime<Utc> = moment(-62_167_219_200);
const END: DateTime<Utc> = moment(253_402_300_800);

/// A constant of ours as a moment.
const fn moment(seconds: i64) -> DateTime<Utc> {
    match DateTime::from_timestamp(seconds, 0) {
        Some(moment) => moment,
        None => DateTime::UNIX_EPOCH,
    }
}

/// From where to where a query walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) order: Order,
    /// Strictly behind this place; ids are greater than 0.
    pub(super) behind: Place,
    /// As far as this time: itself included when the newest come first, excluded otherwise.
    pub(super) as_far_as: DateTime<Utc>,
}

/// The bounds as bound values.
pub(super) struct BoundValues {
    order: Order,
    time: String,
    id: String,
    as_far_as: String,
}

impl Bounds {
    pub(super) fn of(query: &HistoricalQuery, after: Option<Place>) -> Self {
        let (from, to) = (query.from.unwrap_or(BEGINNING), query.to.unwrap_or(END));
        let edge = |killmail_time| Place {
            killmail_time,
            killmail_id: 0,
        };
        // A cursor from outside the range does not widen it.
        match query.order {
            Order::Newest => Self {
                order: query.order,
                behind: after.map_or(edge(to), |after| after.min(edge(to))),
                as_far_as: from,
            },
            Order::Oldest => Self {
                order: query.order,
                behind: after.map_or(edge(from), |after| after.max(edge(from))),
                as_far_as: to,
            },
        }
    }

    pub(super) fn bind(&self, statement: &mut Statement) -> BoundValues {
        BoundValues {
            order: self.order,
            time: statement.bind(Value::Time(self.behind.killmail_time)),
            id: statement.bind(Value::Integer(self.behind.killmail_id)),
            as_far_as: statement.bind(Value::Time(self.as_far_as)),
        }
    }
}

impl BoundValues {
    /// The bounds as a condition on a table. The comparison of times says to partitions what that of pairs does
    /// not.
    pub(super) fn condition(&self, table: &str) -> String {
        let Self {
            time,
            id,
            as_far_as,
            ..
        } = self;
        match self.order {
            Order::Newest => format!(
                "{table}.killmail_time >= {as_far_as} AND {table}.killmail_time <= {time} \
                 AND ({table}.killmail_time, {table}.killmail_id) < ({time}, {id})"
            ),
            Order::Oldest => format!(
                "{table}.killmail_time < {as_far_as} AND {table}.killmail_time >= {time} \
                 AND ({table}.killmail_time, {table}.killmail_id) > ({time}, {id})"
            ),
        }
    }

    pub(super) fn order_by(&self, table: &str) -> String {
        let direction = match self.order {
            Order::Newest => "DESC",
            Order::Oldest => "ASC",
        };
        format!("ORDER BY {table}.killmail_time {direction}, {table}.killmail_id {direction}")
    }
}

/// One walk: what the pieces of a statement have in common.
struct Walk {
    bounds: BoundValues,
    others: Vec<String>,
    limit: String,
}

/// The statement for up to `limit` places.
pub(super) fn statement(
    query: &HistoricalQuery,
    clauses: &[Clause<'_>],
    driver: Option<usize>,
    bounds: &Bounds,
    limit: i64,
) -> Statement {
    let mut statement = Statement::default();
    let walk = Walk {
        bounds: bounds.bind(&mut statement),
        others: clauses::others(query, clauses, driver, &mut statement),
        limit: statement.bind(Value::Integer(limit)),
    };
    let driving = driver.and_then(|index| clauses.get(index));
    let branches = driving.map_or_else(
        || vec![walk.along_time()],
        |clause| {
            let interests = clause.0.iter();
            interests
                .flat_map(|interest| walk.along(interest, &mut statement))
                .collect()
        },
    );
    let Walk { bounds, limit, .. } = &walk;
    // A killmail may be found along several ids and by several branches.
    let sql = format!(
        "SELECT DISTINCT w.killmail_time, w.killmail_id FROM ({}) AS w {} LIMIT {limit}",
        branches.join(" UNION ALL "),
        bounds.order_by("w"),
    );
    statement.push(&sql);
    statement
}

impl Walk {
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
        let bounds = self.bounds.condition("k");
        let others = self.others.iter().map(String::as_str);
        let conditions: Vec<&str> = [condition, &bounds].into_iter().chain(others).collect();
        format!(
            "SELECT k.killmail_time, k.killmail_id FROM killmails AS k WHERE {} {} LIMIT {}",
            conditions.join(" AND "),
            self.bounds.order_by("k"),
            self.limit,
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
        if self.others.is_empty() {
            return format!("{distinct} LIMIT {}", self.limit);
        }
        format!(
            "SELECT d.killmail_time, d.killmail_id FROM ({distinct}) AS d \
             WHERE (SELECT {} FROM killmails AS k WHERE k.killmail_id = d.killmail_id \
             AND k.killmail_time = d.killmail_time LIMIT 1) {} LIMIT {}",
            self.others.join(" AND "),
            self.bounds.order_by("d"),
            self.limit,
        )
    }
}
