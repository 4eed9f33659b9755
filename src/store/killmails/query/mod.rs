//! The historical query: every killmail that a filter wants, in order of time, page by page.
//!
//! A query is a list of *clauses* that all have to hold, each a choice of interests: with `match=all` every
//! interest is a clause of its own, with `match=any` they are one clause together; wars are a clause too.
//! One clause *drives*: each of its ids is walked along its own index in the order of the answer, and the
//! walks are merged. The other clauses and the restrictions are looked at row by row on the way. Where several
//! clauses could drive, a short look at each index tells which is the sparsest. Where none can, time is walked.
//! Two clauses that are about as sparse drive together: the indexes alone tell which killmails both have, and
//! only those are looked at.
//!
//! So nothing depends on what the planner believes: a walk has one index that is in the right order, sorting,
//! bitmaps and joins out of order are switched off, and conditions that are only to be looked at are written so
//! that no index answers them.

mod clauses;
mod documents;
mod probe;
mod statement;
mod walk;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Transaction};

use crate::domain::Filter;
use crate::store::{Error, Result};

pub use documents::documents;
pub use statement::{Statement, Value};

/// The most ids of one kind that a historical query may name: each is a walk of its own, and a page reads up
/// to its own length from every one of them.
pub const MAX_QUERY_IDS: usize = 1_000;

/// In which order killmails come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By falling time, then falling id.
    #[default]
    Newest,
    /// By rising time, then rising id.
    Oldest,
}

/// A killmail's place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Place {
    /// When it happened.
    pub killmail_time: DateTime<Utc>,
    /// Its id, among those of the same time.
    pub killmail_id: i64,
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoricalQuery {
    /// What the feed's filter would let through.
    pub filter: Filter,
    /// Killmails of one of these wars; empty for any or none. Holds beside the filter, whatever its `match_mode`.
    pub wars: BTreeSet<i64>,
    /// At or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
    /// The order.
    pub order: Order,
}

/// Settings for the statements of this module, beside their time-out. Only they are planned under them: a plan
/// belongs to a statement's text. What is switched off counts as very expensive where it can't be avoided (the
/// merge sorts a page, and each of the ids has its walk in a nested loop), and for expensive plans the server would
/// compile machine code for seconds.
const PLANNING: &str = "SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; \
    SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashagg = off; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; \
    SET LOCAL jit = off";

/// A read-only transaction whose statements may take `timeout` each.
///
/// # Errors
/// When the database refuses.
pub async fn begin(pool: &PgPool, timeout: Duration) -> Result<Transaction<'static, Postgres>> {
    // A number of ours and constants.
    pool.begin_with(AssertSqlSafe(beginning("BEGIN READ ONLY", timeout)))
        .await
        .map_err(Error::query("beginning a historical query"))
}

/// The same on a connection, where every statement sees what was stored when the first one began.
///
/// # Errors
/// When the database refuses.
pub async fn begin_snapshot(
    conn: &mut PgConnection,
    timeout: Duration,
) -> Result<Transaction<'_, Postgres>> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    conn.begin_with(AssertSqlSafe(beginning(begin, timeout)))
        .await
        .map_err(Error::query("beginning a snapshot"))
}

fn beginning(begin: &str, timeout: Duration) -> String {
    let milliseconds = timeout.as_millis().max(1);
    format!("{begin}; SET LOCAL statement_timeout = {milliseconds}; {PLANNING}")
}

/// The places of up to `limit` killmails strictly behind `after`, in order. Killmails that are stored meanwhile
/// neither shift nor repeat what is behind a place.
///
/// # Errors
/// When the database refuses, or the time of the transaction's [`begin`] is over.
pub async fn places(
    conn: &mut PgConnection,
    query: &HistoricalQuery,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Place>> {
    statement(conn, query, after, limit)
        .await?
        .fetch::<Place>(conn)
        .await
        .map_err(Error::query("a historical query"))
}

/// The statement that [`places`] runs, for those who want to see its plan.
///
/// # Errors
/// When the look at the indexes fails.
pub async fn statement(
    conn: &mut PgConnection,
    query: &HistoricalQuery,
    after: Option<Place>,
    limit: i64,
) -> Result<Statement> {
    let clauses = clauses::of(query);
    let bounds = walk::Bounds::of(query, after);
    let along = probe::choose(conn, &clauses, &bounds).await?;
    Ok(walk::statement(query, &clauses, along, &bounds, limit))
}
