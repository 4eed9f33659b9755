//! The rolled-up rows of one day, made anew from killmails and attackers.

use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::{PgConnection, PgPool};

use super::valuable::MOST_VALUABLE;
use super::window::midnight;
use crate::store::{Error, Result};

/// Only look-ups by index, and memory for the distinct participants of a day.
const BEGIN: &str = "BEGIN; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'";

/// Makes the rows of a day anew and takes away its marks. Safe beside writers and beside others who do the same, who
/// wait.
///
/// The marks go first, and each statement sees what was committed before it began: what a mark that went stands for is
/// seen by all that follow, and a batch that commits meanwhile has a mark of its own, which stays.
///
/// # Errors
/// When the database refuses; nothing is changed then.
pub async fn make(pool: &PgPool, day: NaiveDate) -> Result<()> {
    let failed = "making the statistics of a day";
    let mut transaction = pool.begin_with(BEGIN).await.map_err(Error::query(failed))?;
    make_in(&mut transaction, day)
        .await
        .map_err(Error::query(failed))?;
    transaction.commit().await.map_err(Error::query(failed))
}

async fn make_in(conn: &mut PgConnection, day: NaiveDate) -> Result<(), sqlx::Error> {
    let from = midnight(day);
    let next = day.checked_add_days(Days::new(1));
    let to = next.map_or(DateTime::<Utc>::MAX_UTC, midnight);
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('statistics of days'))"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("DELETE FROM statistics_marks WHERE day = $1", day)
        .execute(&mut *conn)
        .await?;
    remove(conn, day, (from, to)).await?;
    hours(conn, (from, to)).await?;
    days(conn, day, (from, to)).await?;
    valuable(conn, day, (from, to)).await
}

type Span = (DateTime<Utc>, DateTime<Utc>);

async fn remove(conn: &mut PgConnection, day: NaiveDate, span: Span) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM statistics_hours WHERE hour >= $1 AND hour < $2",
        span.0,
        span.1
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        DELETE FROM statistics_days
        WHERE subject = ANY (ARRAY['system', 'ship_lost', 'ship_used', 'character', 'corporation', 'alliance'])
            AND day = $1
        "#,
        day
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("DELETE FROM statistics_valuable WHERE day = $1", day)
        .execute(conn)
        .await?;
    Ok(())
}

async fn hours(conn: &mut PgConnection, span: Span) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO statistics_hours
            (hour, solar_system_id, constellation_id, region_id, npc, killmails, isk, without_value)
        SELECT date_trunc('hour', killmail_time, 'UTC'), solar_system_id, constellation_id, region_id, npc IS TRUE,
            count(*), coalesce(sum(total_value::numeric), 0), count(*) FILTER (WHERE total_value IS NULL)
        FROM killmails
        WHERE killmail_time >= $1 AND killmail_time < $2
        GROUP BY 1, 2, 3, 4, 5
        ORDER BY 4, 2, 1
        "#,
        span.0,
        span.1,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn days(conn: &mut PgConnection, day: NaiveDate, span: Span) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO statistics_days (day, subject, region_id, npc, entity_ids, killmails, isk, without_value)
        SELECT $3, c.subject, c.region_id, c.npc, array_agg(c.entity_id ORDER BY c.entity_id),
            array_agg(c.killmails ORDER BY c.entity_id), array_agg(c.isk ORDER BY c.entity_id),
            array_agg(c.without_value ORDER BY c.entity_id)
        FROM (
            SELECT e.subject, coalesce(k.region_id, 0) AS region_id, k.npc IS TRUE AS npc, e.entity_id,
                count(*)::integer AS killmails, coalesce(sum(k.total_value::numeric), 0) AS isk,
                count(*) FILTER (WHERE k.total_value IS NULL)::integer AS without_value
            FROM killmails AS k
            CROSS JOIN LATERAL (
                SELECT DISTINCT s.subject, s.entity_id
                FROM attackers AS a
                CROSS JOIN LATERAL (
                    VALUES ('ship_used', a.ship_type_id), ('character', a.character_id),
                        ('corporation', a.corporation_id), ('alliance', a.alliance_id)
                ) AS s (subject, entity_id)
                WHERE a.killmail_id = k.killmail_id AND a.killmail_time = k.killmail_time
                UNION ALL
                VALUES ('ship_lost', k.ship_type_id), ('system', k.solar_system_id)
            ) AS e
            WHERE k.killmail_time >= $1 AND k.killmail_time < $2 AND e.entity_id IS NOT NULL
            GROUP BY 1, 2, 3, 4
        ) AS c
        GROUP BY c.subject, c.region_id, c.npc
        "#,
        span.0,
        span.1,
        day,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn valuable(conn: &mut PgConnection, day: NaiveDate, span: Span) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO statistics_valuable (day, killmail_id, killmail_time, total_value, npc)
        SELECT $3, k.killmail_id, k.killmail_time, k.total_value, k.npc
        FROM (
            SELECT killmail_id, killmail_time, total_value, npc IS TRUE AS npc,
                row_number() OVER (PARTITION BY npc IS TRUE ORDER BY total_value DESC, killmail_id) AS place
            FROM killmails
            WHERE killmail_time >= $1 AND killmail_time < $2 AND total_value IS NOT NULL
        ) AS k
        WHERE k.place <= $4
        "#,
        span.0,
        span.1,
        day,
        MOST_VALUABLE,
    )
    .execute(conn)
    .await?;
    Ok(())
}
