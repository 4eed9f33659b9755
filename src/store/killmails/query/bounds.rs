//! From where to where a query walks.

use chrono::{DateTime, Utc};

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

/// The bounds as bound values; what does not bound anything is left out, since it would be compared with every row.
pub(super) struct BoundValues {
    order: Order,
    /// Time and id.
    behind: Option<(String, String)>,
    as_far_as: Option<String>,
}

impl Bounds {
    pub(super) fn of(query: &HistoricalQuery, after: Option<Place>) -> Self {
        let (from, to) = (query.from.unwrap_or(BEGINNING), query.to.unwrap_or(END));
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
        let (first, last) = match self.order {
            Order::Newest => (END, BEGINNING),
            Order::Oldest => (BEGINNING, END),
        };
        let behind = (self.behind != edge(first)).then(|| {
            let time = statement.bind(Value::Time(self.behind.killmail_time));
            (
                time,
                statement.bind(Value::Integer(self.behind.killmail_id)),
            )
        });
        let as_far_as =
            (self.as_far_as != last).then(|| statement.bind(Value::Time(self.as_far_as)));
        BoundValues {
            order: self.order,
            behind,
            as_far_as,
        }
    }
}

/// The place before all killmails of a time.
fn edge(killmail_time: DateTime<Utc>) -> Place {
    Place {
        killmail_time,
        killmail_id: 0,
    }
}

impl BoundValues {
    /// The bounds as a condition on a table. The comparison of times says to partitions what that of pairs does
    /// not.
    pub(super) fn condition(&self, table: &str) -> String {
        let (behind, as_far_as) = match self.order {
            Order::Newest => (("<=", "<"), ">="),
            Order::Oldest => ((">=", ">"), "<"),
        };
        let mut conditions = Vec::new();
        if let Some((time, id)) = &self.behind {
            let (of_times, of_pairs) = behind;
            conditions.push(format!(
                "{table}.killmail_time {of_times} {time} \
                 AND ({table}.killmail_time, {table}.killmail_id) {of_pairs} ({time}, {id})"
            ));
        }
        if let Some(time) = &self.as_far_as {
            conditions.push(format!("{table}.killmail_time {as_far_as} {time}"));
        }
        if conditions.is_empty() {
            return "true".to_owned();
        }
        conditions.join(" AND ")
    }

    pub(super) fn order_by(&self, table: &str) -> String {
        let direction = match self.order {
            Order::Newest => "DESC",
            Order::Oldest => "ASC",
        };
        format!("ORDER BY {table}.killmail_time {direction}, {table}.killmail_id {direction}")
    }
}
