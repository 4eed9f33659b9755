//! Yearly partitions, created ahead of need.

use chrono::{DateTime, Datelike, Utc};
use sqlx::PgConnection;

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

/// The years a process should have partitions for at `now`: killmails arrive late, and the next year begins
/// while the process runs. Earlier years are made when their first killmail is written.
pub fn years_ahead(now: DateTime<Utc>) -> Vec<i32> {
    (now.year() - 1..=now.year() + 1).collect()
}
