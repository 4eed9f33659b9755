//! Which clauses to drive by: the one with the fewest rows in the range, judged by a short look at its indexes, and
//! another one beside it that is not much denser.
//!
//! A clause that drives is walked until the answer is full, which lies at the same depth of time whichever
//! drives; so the sparsest one reads the fewest rows. Each of these rows is looked up in the tables, unless
//! reading all rows of the other clause up to there costs less.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::bounds::{BoundValues, Bounds};
use super::clauses::{Clause, Interest};
use super::statement::{Statement, Value};
use super::walk::Along;
use crate::store::{Error, Result};

/// Ids of one interest that are looked at; the others are taken to be like them.
const IDS: usize = 8;

/// Rows of each that are looked at.
const ROWS: i64 = 100;

/// Rows of an index that are read in the time of one look-up of a killmail and its attackers: 20 to 50 as measured,
/// 4 to 10 microseconds against a fifth of one.
const ROWS_PER_LOOK_UP: f64 = 20.0;

/// Walks of a clause that may be merged with another: they are part of the statement's text, which has to be planned
/// anew for each number.
const MERGED_WALKS: usize = 4;

/// A range without an end is taken to be this long: all of the game's history, about.
const LONGEST_RANGE: TimeDelta = TimeDelta::days(20 * 365);

/// What was seen of one id.
#[derive(Debug, sqlx::FromRow)]
struct Seen {
    /// The clause's place among the candidates.
    clause: i64,
    /// For how many ids this one stands.
    weight: f64,
    /// Rows, up to [`ROWS`].
    rows: i64,
    oldest: Option<DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
}

/// What to walk along: time where no clause can drive.
pub(super) async fn choose<'c>(
    conn: &mut PgConnection,
    clauses: &'c [Clause<'c>],
    bounds: &Bounds,
) -> Result<Along<'c>> {
    let candidates: Vec<&Clause<'_>> = (clauses.iter())
        .filter(|clause| clause.can_drive())
        .collect();
    match candidates.as_slice() {
        [] => return Ok(Along::Time),
        [only] => return Ok(Along::One(only)),
        _ => {}
    }
    let seen: Vec<Seen> = look(&candidates, bounds)
        .fetch(conn)
        .await
        .map_err(Error::query("looking for the sparsest index"))?;
    let expected = |index: usize| -> f64 {
        let of_it = seen
            .iter()
            .filter(|seen| usize::try_from(seen.clause) == Ok(index));
        of_it
            .map(|seen| seen.weight * expected_rows(seen, bounds))
            .sum()
    };
    let candidates = candidates.into_iter().enumerate();
    Ok(decide(
        candidates
            .map(|(index, clause)| (expected(index), clause))
            .collect(),
    ))
}

/// The same by the rows that are expected of each.
fn decide<'c>(mut candidates: Vec<(f64, &'c Clause<'c>)>) -> Along<'c> {
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut candidates = candidates.into_iter();
    let Some((fewest, sparsest)) = candidates.next() else {
        return Along::Time;
    };
    let is_short = |clause: &Clause<'_>| clause.walks() <= MERGED_WALKS;
    let is_tellable = |clause: &Clause<'_>| told_by_regions(sparsest, clause).is_some();
    let beside = candidates
        .take_while(|(rows, _)| *rows <= fewest * ROWS_PER_LOOK_UP)
        .find(|(_, clause)| is_short(clause) || is_tellable(clause));
    let Some((_, beside)) = beside else {
        return Along::One(sparsest);
    };
    match told_by_regions(sparsest, beside) {
        Some(regions) => Along::One(regions),
        None if is_short(sparsest) => Along::Both(sparsest, beside),
        None => Along::One(sparsest),
    }
}

/// The one of two clauses whose index tells of the other as well, so that there is nothing to merge.
fn told_by_regions<'c>(one: &'c Clause<'c>, other: &'c Clause<'c>) -> Option<&'c Clause<'c>> {
    let tells =
        |regions: &Clause<'_>, groups: &Clause<'_>| regions.has_regions() && groups.rules_out();
    if tells(one, other) {
        return Some(one);
    }
    tells(other, one).then_some(other)
}

fn look(candidates: &[&Clause<'_>], bounds: &Bounds) -> Statement {
    let mut statement = Statement::default();
    let bounds = bounds.bind(&mut statement);
    let mut separator = "";
    for (index, clause) in candidates.iter().enumerate() {
        for interest in &clause.0 {
            for (table, column) in [
                ("killmails", interest.killmails_column()),
                ("attackers", interest.attackers_column()),
            ] {
                let Some(column) = column else { continue };
                statement.push(separator);
                separator = " UNION ALL ";
                look_along(&mut statement, interest, (index, table, column), &bounds);
            }
        }
    }
    statement
}

fn look_along(
    statement: &mut Statement,
    interest: &Interest<'_>,
    (index, table, column): (usize, &str, &str),
    bounds: &BoundValues,
) {
    let sample: Vec<i64> = interest.ids.iter().copied().take(IDS).collect();
    let weight = statement.bind(Value::Number(ratio(interest.ids.len(), sample.len())));
    let ids = statement.bind(Value::Ids(sample));
    statement.push("SELECT ");
    statement.push_number(index);
    let sql = format!(
        "::bigint AS clause, {weight} AS weight, e.* FROM unnest({ids}) AS s (id) CROSS JOIN LATERAL (\
         SELECT count(*) AS rows, min(p.killmail_time) AS oldest, max(p.killmail_time) AS newest \
         FROM (SELECT t.killmail_time FROM {table} AS t WHERE t.{column} = s.id AND {} {} LIMIT {ROWS}) AS p) AS e",
        bounds.condition("t"),
        bounds.order_by("t"),
    );
    statement.push(&sql);
}

/// Rows that the whole range has, if all of it is as dense as what was seen.
fn expected_rows(seen: &Seen, bounds: &Bounds) -> f64 {
    let rows = seconds_like(seen.rows);
    let (Some(oldest), Some(newest)) = (seen.oldest, seen.newest) else {
        return rows;
    };
    if seen.rows < ROWS {
        return rows;
    }
    let range = (bounds.behind.killmail_time - bounds.as_far_as).abs();
    let range = range.min(LONGEST_RANGE);
    let span = (newest - oldest).num_seconds().max(1);
    rows * seconds_like(range.num_seconds().max(1)) / seconds_like(span)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate, of numbers far below 2^53"
)]
fn seconds_like(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "at most a thousand ids")]
fn ratio(all: usize, sampled: usize) -> f64 {
    all as f64 / sampled.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Filter;
    use crate::store::killmails::query::{HistoricalQuery, Order, clauses};

    fn seen(rows: i64, days: i64) -> Seen {
        let newest: DateTime<Utc> = "2026-06-01T00:00:00Z".parse().unwrap();
        Seen {
            clause: 0,
            weight: 1.0,
            rows,
            oldest: Some(newest - TimeDelta::days(days)),
            newest: Some(newest),
        }
    }

    #[test]
    fn what_was_seen_to_its_end_counts_as_it_is_and_the_rest_by_density() {
        let query = HistoricalQuery {
            from: Some("2025-06-01T00:00:00Z".parse().unwrap()),
            to: Some("2026-06-01T00:00:00Z".parse().unwrap()),
            order: Order::Newest,
            ..HistoricalQuery::default()
        };
        let bounds = Bounds::of(&query, None);
        let rows = |seen: &Seen| expected_rows(seen, &bounds);
        assert!((rows(&seen(99, 1)) - 99.0).abs() < 0.001);
        assert!((rows(&seen(ROWS, 1)) - 36_500.0).abs() < 1.0);
        let boundless = Bounds::of(&HistoricalQuery::default(), None);
        assert!((expected_rows(&seen(ROWS, 1), &boundless) - 730_000.0).abs() < 1.0);
    }

    #[test]
    fn the_sparsest_drives_and_with_it_the_next_if_it_is_short_and_not_much_denser() {
        let query = HistoricalQuery {
            filter: Filter {
                systems: (1..=MERGED_WALKS.try_into().unwrap()).collect(),
                regions: (0..=MERGED_WALKS.try_into().unwrap()).collect(),
                ship_groups: [25].into(),
                ..Filter::default()
            },
            ..HistoricalQuery::default()
        };
        let clauses = clauses::of(&query);
        let driving = |rows: [f64; 3]| {
            let along = decide(rows.into_iter().zip(&clauses).collect());
            let [systems, regions, groups] = [0, 1, 2].map(|index| along.is_of(&clauses[index]));
            (systems, regions, groups)
        };
        assert_eq!(driving([100.0, 150.0, 2_000.0]), (true, false, true));
        assert_eq!(driving([100.0, 150.0, 2_001.0]), (true, false, false));
        assert_eq!(driving([100.0, 9_000.0, 150.0]), (true, false, true));
        assert_eq!(driving([200.0, 100.0, 200.0]), (false, true, false));
        assert_eq!(driving([0.0, 100.0, 100.0]), (true, false, false));
        let regions_alone = (false, true, false);
        assert_eq!(driving([9_000.0, 150.0, 100.0]), regions_alone);
        assert_eq!(driving([9_000.0, 100.0, 150.0]), regions_alone);
        assert_eq!(driving([9_000.0, 100.0, 2_001.0]), regions_alone);
        assert_eq!(driving([9_000.0, 2_001.0, 100.0]), (false, false, true));
    }
}
