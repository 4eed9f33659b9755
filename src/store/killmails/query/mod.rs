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

mod bounds;
mod clauses;
mod documents;
mod others;
mod probe;
mod statement;
mod walk;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
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

/// Settings of the connections for the statements of this module. What is switched off counts as very expensive where
/// it can't be avoided (the merge sorts a page, and each of the ids has its walk in a nested loop), and for expensive
/// plans the server would compile machine code for seconds.
pub(in crate::store) const PLANNING: [(&str, &str); 7] = [
    ("enable_sort", "off"),
    ("enable_incremental_sort", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashagg", "off"),
    ("enable_hashjoin", "off"),
    ("enable_nestloop", "off"),
    ("jit", "off"),
];

/// A connection for the statements of this module, of one of the pools for history.
///
/// # Errors
/// When there is none, or none is free in time.
pub async fn connection(pool: &PgPool) -> Result<PoolConnection<Postgres>> {
    pool.acquire()
        .await
        .map_err(Error::query("connecting for a historical query"))
}

/// A read-only transaction on such a connection. Its statements may take `timeout` each, and see what was stored when
/// the first one began.
///
/// # Errors
/// When the database refuses.
pub async fn begin_snapshot(
    conn: &mut PgConnection,
    timeout: Duration,
) -> Result<Transaction<'_, Postgres>> {
    let milliseconds = timeout.as_millis().max(1);
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {milliseconds}"
    );
    // A number of ours and a constant.
    conn.begin_with(AssertSqlSafe(begin))
        .await
        .map_err(Error::query("beginning a snapshot"))
}

/// The places of up to `limit` killmails strictly behind `after`, in order. Killmails that are stored meanwhile
/// neither shift nor repeat what is behind a place.
///
/// # Errors
/// When the database refuses, or the time of the connection's pool is over.
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
    let bounds = bounds::Bounds::of(query, after);
    let along = probe::choose(conn, &clauses, &bounds).await?;
    Ok(walk::statement(query, &clauses, along, &bounds, limit))
}
