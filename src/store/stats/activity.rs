//! Kills and losses by hour or day.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Question, Split, Tally, Window};
use crate::store::{Error, Result};

/// Whose or where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// Everywhere.
    Everywhere,
    /// In a system.
    System(i64),
    /// In a constellation.
    Constellation(i64),
    /// In a region.
    Region(i64),
    /// Of a character.
    Character(i64),
    /// Of a corporation.
    Corporation(i64),
    /// Of an alliance.
    Alliance(i64),
    /// With, and of, a type.
    ShipType(i64),
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day, UTC.
    Day,
}

impl Bucket {
    /// As PostgreSQL calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// A bucket that is not empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filled {
    /// When it begins.
    pub time: DateTime<Utc>,
    /// False: killmails of a place, or kills. True: losses.
    pub is_loss: bool,
    /// What is in it.
    pub tally: Tally,
}

struct Row {
    time: DateTime<Utc>,
    is_loss: bool,
    killmails: i64,
    isk: f64,
    without_value: i64,
}

/// Killmails of a place, by a column that killmails and rolled-up rows have.
macro_rules! in_place {
    ($column:tt, $id:expr, $bucket:expr, $split:expr, $npc:expr) => {
        sqlx::query_as!(
            Row,
            r#"
            SELECT b.time AS "time!", false AS "is_loss!", sum(b.killmails)::bigint AS "killmails!",
                sum(b.isk)::double precision AS "isk!", sum(b.without_value)::bigint AS "without_value!"
            FROM (
                SELECT date_trunc($1, d.hour, 'UTC') AS time, d.killmails, d.isk, d.without_value
                FROM unnest($2::timestamptz[], $3::timestamptz[]) AS r (began, ended)
                CROSS JOIN LATERAL (
                    SELECT hour, killmails, isk, without_value
                    FROM statistics_hours
                    WHERE hour >= r.began AND hour < r.ended AND ($6::boolean IS NULL OR npc = $6)
                        AND "# + $column + r#" = $7
                    OFFSET 0
                ) AS d
                UNION ALL
                SELECT date_trunc($1, k.killmail_time, 'UTC'), 1, coalesce(k.total_value::numeric, 0),
                    (k.total_value IS NULL)::integer
                FROM unnest($4::timestamptz[], $5::timestamptz[]) AS r (began, ended)
                CROSS JOIN LATERAL (
                    SELECT killmail_time, total_value
                    FROM killmails
                    WHERE killmail_time >= r.began AND killmail_time < r.ended
                        AND ($6::boolean IS NULL OR (npc IS TRUE) = $6) AND "# + $column + r#" = $7
                    OFFSET 0
                ) AS k
            ) AS b
            GROUP BY b.time
            ORDER BY b.time
            "#,
            $bucket,
            &$split.rolled_from_times(),
            &$split.rolled_to_times(),
            &$split.live_from,
            &$split.live_to,
            $npc,
            $id,
        )
    };
}

/// Kills and losses of a participant, by its columns in attackers and killmails.
macro_rules! of_party {
    ($attacker:tt, $victim:tt, $id:expr, $bucket:expr, $window:expr, $npc:expr) => {
        sqlx::query_as!(
            Row,
            r#"
            SELECT b.time AS "time!", b.is_loss AS "is_loss!", count(*) AS "killmails!",
                coalesce(sum(b.total_value::numeric), 0)::double precision AS "isk!",
                count(*) FILTER (WHERE b.total_value IS NULL) AS "without_value!"
            FROM (
                SELECT date_trunc($1, k.killmail_time, 'UTC') AS time, false AS is_loss, k.total_value
                FROM (
                    SELECT DISTINCT killmail_time, killmail_id
                    FROM attackers
                    WHERE killmail_time >= $3 AND killmail_time < $4 AND "# + $attacker + r#" = $2
                ) AS a
                JOIN killmails AS k ON k.killmail_id = a.killmail_id AND k.killmail_time = a.killmail_time
                WHERE $5::boolean IS NULL OR (k.npc IS TRUE) = $5
                UNION ALL
                SELECT date_trunc($1, k.killmail_time, 'UTC'), true, k.total_value
                FROM killmails AS k
                WHERE k.killmail_time >= $3 AND k.killmail_time < $4 AND k."# + $victim + r#" = $2
                    AND ($5::boolean IS NULL OR (k.npc IS TRUE) = $5)
            ) AS b
            GROUP BY b.time, b.is_loss
            ORDER BY b.time, b.is_loss
            "#,
            $bucket,
            $id,
            $window.from,
            $window.to,
            $npc,
        )
    };
}

/// The buckets that are not empty, in order of time. Of a place there are no losses.
///
/// # Errors
/// When the database refuses, or the time of the transaction is over.
pub async fn buckets(
    conn: &mut PgConnection,
    of: Of,
    question: Question,
    bucket: Bucket,
) -> Result<Vec<Filled>> {
    let Question { window, npc } = question;
    let rows = match of {
        Of::Everywhere | Of::System(_) | Of::Constellation(_) | Of::Region(_) => {
            let split = Split::of(conn, window).await?;
            places(conn, of, &split, bucket, npc).await
        }
        Of::Character(_) | Of::Corporation(_) | Of::Alliance(_) | Of::ShipType(_) => {
            parties(conn, of, window, bucket, npc).await
        }
    };
    let rows = rows.map_err(Error::query("reading activity"))?;
    let filled = rows.into_iter().map(|row| Filled {
        time: row.time,
        is_loss: row.is_loss,
        tally: Tally {
            killmails: row.killmails,
            isk: row.isk,
            without_value: row.without_value,
        },
    });
    Ok(filled.collect())
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one arm a place; the query macros count as many"
)]
async fn places(
    conn: &mut PgConnection,
    of: Of,
    split: &Split,
    bucket: Bucket,
    npc: Option<bool>,
) -> Result<Vec<Row>, sqlx::Error> {
    let unit = bucket.as_str();
    match of {
        Of::Everywhere => {
            // Nothing to compare: the id stands on both sides.
            in_place!("$7::bigint", 0_i64, unit, split, npc)
                .fetch_all(conn)
                .await
        }
        Of::System(id) => {
            in_place!("solar_system_id", id, unit, split, npc)
                .fetch_all(conn)
                .await
        }
        Of::Constellation(id) => {
            in_place!("constellation_id", id, unit, split, npc)
                .fetch_all(conn)
                .await
        }
        Of::Region(id) => {
            in_place!("region_id", id, unit, split, npc)
                .fetch_all(conn)
                .await
        }
        Of::Character(_) | Of::Corporation(_) | Of::Alliance(_) | Of::ShipType(_) => Ok(Vec::new()),
    }
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one arm a kind; the query macros count as many"
)]
async fn parties(
    conn: &mut PgConnection,
    of: Of,
    window: Window,
    bucket: Bucket,
    npc: Option<bool>,
) -> Result<Vec<Row>, sqlx::Error> {
    let unit = bucket.as_str();
    match of {
        Of::Character(id) => {
            of_party!("character_id", "victim_character_id", id, unit, window, npc)
                .fetch_all(conn)
                .await
        }
        Of::Corporation(id) => {
            of_party!(
                "corporation_id",
                "victim_corporation_id",
                id,
                unit,
                window,
                npc
            )
            .fetch_all(conn)
            .await
        }
        Of::Alliance(id) => {
            of_party!("alliance_id", "victim_alliance_id", id, unit, window, npc)
                .fetch_all(conn)
                .await
        }
        Of::ShipType(id) => {
            of_party!("ship_type_id", "ship_type_id", id, unit, window, npc)
                .fetch_all(conn)
                .await
        }
        Of::Everywhere | Of::System(_) | Of::Constellation(_) | Of::Region(_) => Ok(Vec::new()),
    }
}
