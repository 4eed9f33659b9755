//! Days whose statistics have to be made anew.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::store::{Error, Result};

/// Marks the days of killmails that this transaction wrote. Every batch adds rows of its own: to rely on a mark that
/// is there already would be wrong, since it may be taken away by someone who does not see this transaction yet.
pub(in crate::store) async fn set(
    conn: &mut PgConnection,
    times: impl Iterator<Item = DateTime<Utc>>,
) -> Result<()> {
    let mut days: Vec<NaiveDate> = times.map(|time| time.date_naive()).collect();
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO statistics_marks (day) SELECT * FROM unnest($1::date[])",
        &days
    )
    .execute(conn)
    .await
    .map_err(Error::query("marking days for statistics"))?;
    Ok(())
}

/// Marks the days of those killmails that have no region yet and are about to get one.
pub(in crate::store) async fn set_for_places(
    conn: &mut PgConnection,
    ids: &[i64],
    times: &[DateTime<Utc>],
    regions: &[Option<i64>],
) -> Result<()> {
    if regions.iter().all(Option::is_none) {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO statistics_marks (day)
        SELECT DISTINCT (k.killmail_time AT TIME ZONE 'UTC')::date
        FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) AS u (killmail_id, killmail_time, region_id)
        JOIN killmails AS k ON k.killmail_id = u.killmail_id AND k.killmail_time = u.killmail_time
        WHERE k.region_id IS NULL AND u.region_id IS NOT NULL
        "#,
        ids,
        times,
        regions as &[Option<i64>],
    )
    .execute(conn)
    .await
    .map_err(Error::query("marking days for statistics"))?;
    Ok(())
}

/// Marks every day that has killmails or statistics. Returns how many.
///
/// # Errors
/// When the database refuses.
pub async fn set_all(executor: impl PgExecutor<'_>) -> Result<i64> {
    sqlx::query_scalar!(r#"SELECT mark_all_statistics() AS "days!""#)
        .fetch_one(executor)
        .await
        .map_err(Error::query("marking all days for statistics"))
}

/// The marked days from `first` to `last`, both included.
pub(super) async fn between(
    conn: &mut PgConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<NaiveDate>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT day FROM statistics_marks WHERE day BETWEEN $1 AND $2",
        first,
        last,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("reading marks of statistics"))
}

/// How many days are marked.
///
/// # Errors
/// When the database refuses.
pub async fn count(executor: impl PgExecutor<'_>) -> Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(DISTINCT day) AS "days!" FROM statistics_marks"#)
        .fetch_one(executor)
        .await
        .map_err(Error::query("counting marks of statistics"))
}

/// The newest day that has been left alone for `quiet`, or has been waiting for `patience`.
///
/// # Errors
/// When the database refuses.
pub async fn due(
    executor: impl PgExecutor<'_>,
    quiet: Duration,
    patience: Duration,
) -> Result<Option<NaiveDate>> {
    sqlx::query_scalar!(
        r#"
        SELECT day
        FROM statistics_marks
        GROUP BY day
        HAVING max(marked_at) <= now() - make_interval(secs => $1)
            OR min(marked_at) <= now() - make_interval(secs => $2)
        ORDER BY day DESC
        LIMIT 1
        "#,
        quiet.as_secs_f64(),
        patience.as_secs_f64(),
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("looking for marked days"))
}

/// The newest marked day before another one.
///
/// # Errors
/// When the database refuses.
pub async fn newest(
    executor: impl PgExecutor<'_>,
    before: Option<NaiveDate>,
) -> Result<Option<NaiveDate>> {
    sqlx::query_scalar!(
        "SELECT max(day) FROM statistics_marks WHERE day < coalesce($1, 'infinity'::date)",
        before
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("looking for marked days"))
}
