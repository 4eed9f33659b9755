use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::domain::Span;
use crate::store::{Error, Result};

/// Ids that solar systems can have: known space, wormholes, abyssal and void space.
const FIRST_SYSTEM: i64 = 30_000_000;
const LAST_SYSTEM: i64 = 33_999_999;

/// A live source that wrote its position so long ago is taken to be up to date still: quiet hours have a
/// killmail in some minutes.
const QUIET: TimeDelta = TimeDelta::minutes(30);

/// What is known of everybody's past.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Knowledge {
    /// Spans that were followed live without a break, and days whose archive is stored.
    pub spans: Vec<Span>,
}

/// What is known of everybody's past since `from`. A source that is reading up after a pause is behind what
/// this says, by minutes.
///
/// # Errors
/// When the database refuses.
pub async fn knowledge(executor: impl PgExecutor<'_>, from: DateTime<Utc>) -> Result<Knowledge> {
    let rows = sqlx::query!(
        r#"
        SELECT followed_since AS "from!", updated_at AS "until!", true AS "followed!"
        FROM source_cursors
        WHERE followed_since IS NOT NULL AND updated_at > $1
        UNION ALL
        SELECT DISTINCT day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC', false
        FROM backfill_days
        WHERE state = 'done' AND day >= ($1 AT TIME ZONE 'UTC')::date
        "#,
        from,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading what is known of the past"))?;
    let spans = rows.into_iter().map(|row| Span {
        from: row.from,
        until: if row.followed {
            row.until + QUIET
        } else {
            row.until
        },
    });
    Ok(Knowledge {
        spans: spans.collect(),
    })
}

/// Those of `ids` that can be solar systems: the ones in our table, or any in the range of such ids while the
/// table is empty.
///
/// # Errors
/// When the database refuses.
pub async fn possible_systems(executor: impl PgExecutor<'_>, ids: &[i64]) -> Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"
        SELECT id AS "id!"
        FROM unnest($1::bigint[]) AS id
        WHERE id BETWEEN $2 AND $3
            AND (EXISTS (SELECT 1 FROM solar_systems WHERE solar_system_id = id)
                OR NOT EXISTS (SELECT 1 FROM solar_systems))
        "#,
        ids,
        FIRST_SYSTEM,
        LAST_SYSTEM,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("looking up solar systems"))
}
