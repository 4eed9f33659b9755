//! Yearly partitions, created ahead of need.

use chrono::{DateTime, Datelike, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Error, Result};

/// Makes sure that the partitions of `years` exist, inside the caller's transaction. Cheap when they do (one
/// look into the catalogue), and safe beside other processes that want the same year: they wait until this
/// transaction ends, readers and writers of other years don't.
///
/// Years outside 2003 to 2099 share two partitions that are always there, so no time is refused.
///
/// # Errors
/// When a partition can't be created.
pub async fn ensure(conn: &mut PgConnection, years: &[i32]) -> Result<()> {
    sqlx::query_scalar!("SELECT ensure_year_partitions($1)", years)
        .fetch_one(conn)
        .await
        .map_err(Error::query("creating partitions"))?;
    Ok(())
}

/// Rows from which on the planner chooses well without being told how many more there are.
const ROWS_TO_TELL: f32 = 10_000.0;

/// Tells the planner of partitions that have grown from nothing, in the caller's transaction, each time they have
/// doubled. Statements are planned once a connection: to one planned for an empty table all indexes are alike, and
/// read from end to end the wrong one costs more with each row. The server's own look comes a minute later, when a
/// backfill has stored half a million; after a restored dump it is yet to come, too.
///
/// # Errors
/// When the database refuses.
pub async fn introduce(conn: &mut PgConnection) -> Result<()> {
    let grown = sqlx::query_scalar!(
        r#"
        SELECT c.oid::regclass::text AS "name!"
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('killmails'::regclass, 'attackers'::regclass)
            AND c.reltuples < $1
            AND pg_relation_size(c.oid) > 2 * c.relpages::bigint * current_setting('block_size')::bigint
        ORDER BY c.oid
        "#,
        ROWS_TO_TELL,
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(Error::query("looking for partitions that have grown"))?;
    for partition in grown {
        // Another connection may be at it.
        let statement = format!("ANALYZE (SKIP_LOCKED) {partition}");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *conn)
            .await
            .map_err(Error::query("telling the planner of a partition"))?;
    }
    Ok(())
}

/// The years a process should have partitions for at `now`: killmails arrive late, and the next year begins
/// while the process runs. Earlier years are made when their first killmail is written.
pub fn years_ahead(now: DateTime<Utc>) -> Vec<i32> {
    (now.year() - 1..=now.year() + 1).collect()
}
