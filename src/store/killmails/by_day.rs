//! How many killmails each day has.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::store::{Error, Result};

/// Days that have killmails, with their number, within a span whose end is excluded. Reads the index by time alone: a
/// year takes some seconds.
///
/// # Errors
/// When the database refuses.
pub async fn by_day(
    executor: impl PgExecutor<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<(NaiveDate, i64)>> {
    let rows = sqlx::query!(
        r#"
        SELECT (killmail_time AT TIME ZONE 'UTC')::date AS "day!", count(*) AS "killmails!"
        FROM killmails
        WHERE killmail_time >= $1 AND killmail_time < $2
        GROUP BY 1
        "#,
        from,
        to,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("counting killmails by day"))?;
    Ok(rows
        .into_iter()
        .map(|row| (row.day, row.killmails))
        .collect())
}

/// When the oldest killmail happened; `None` in an empty database.
///
/// # Errors
/// When the database refuses.
pub async fn oldest_time(executor: impl PgExecutor<'_>) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "SELECT killmail_time FROM killmails ORDER BY killmail_time, killmail_id LIMIT 1"
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("looking for the oldest killmail"))
}
