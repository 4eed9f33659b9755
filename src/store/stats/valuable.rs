//! The most valuable killmails of a window.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Question, Scope, Split, in_scope};
use crate::store::{Error, Result};

/// How many of each day are kept: as many as can be asked for.
pub const MOST_VALUABLE: i64 = 100;

/// A killmail with its value, and names where they are known.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuableKillmail {
    /// The killmail.
    pub killmail_id: i64,
    /// When it happened.
    pub killmail_time: DateTime<Utc>,
    /// Where.
    pub solar_system_id: i64,
    /// The system's name.
    pub solar_system_name: Option<String>,
    /// What was lost.
    pub ship_type_id: Option<i64>,
    /// The type's name.
    pub ship_name: Option<String>,
    /// Who lost it.
    pub character_id: Option<i64>,
    /// The pilot's name.
    pub character_name: Option<String>,
    /// The victim's corporation.
    pub corporation_id: Option<i64>,
    /// The corporation's name.
    pub corporation_name: Option<String>,
    /// ISK.
    pub total_value: f64,
}

macro_rules! killmails {
    ($rolled:tt, $live:tt, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            ValuableKillmail,
            r#"
            WITH ranked AS (
                SELECT killmail_id, killmail_time, total_value
                FROM (
                    SELECT v.killmail_id, v.killmail_time, v.total_value
                    FROM unnest($2::date[], $3::date[]) AS r (began, ended)
                    CROSS JOIN LATERAL (
                        SELECT killmail_id, killmail_time, total_value
                        FROM statistics_valuable AS v
                        WHERE v.day >= r.began AND v.day < r.ended AND ($6::boolean IS NULL OR v.npc = $6)
                            AND "# + $rolled + r#"
                        OFFSET 0
                    ) AS v
                    UNION ALL
                    SELECT k.killmail_id, k.killmail_time, k.total_value
                    FROM unnest($4::timestamptz[], $5::timestamptz[]) AS r (began, ended)
                    CROSS JOIN LATERAL (
                        SELECT killmail_id, killmail_time, total_value
                        FROM killmails AS k
                        WHERE k.killmail_time >= r.began AND k.killmail_time < r.ended AND k.total_value IS NOT NULL
                            AND ($6::boolean IS NULL OR (k.npc IS TRUE) = $6) AND "# + $live + r#"
                        OFFSET 0
                    ) AS k
                ) AS v
                ORDER BY total_value DESC, killmail_id
                LIMIT $7
            )
            SELECT k.killmail_id AS "killmail_id!", k.killmail_time AS "killmail_time!",
                k.solar_system_id AS "solar_system_id!", s.name AS "solar_system_name?", k.ship_type_id,
                t.name AS "ship_name?", k.victim_character_id AS character_id, c.name AS "character_name?",
                k.victim_corporation_id AS corporation_id, o.name AS "corporation_name?",
                r.total_value AS "total_value!"
            FROM ranked AS r
            JOIN killmails AS k ON k.killmail_id = r.killmail_id AND k.killmail_time = r.killmail_time
            LEFT JOIN solar_systems AS s ON s.solar_system_id = k.solar_system_id
            LEFT JOIN ship_types AS t ON t.type_id = k.ship_type_id
            LEFT JOIN names AS c ON c.kind = 'character' AND c.id = k.victim_character_id
            LEFT JOIN names AS o ON o.kind = 'corporation' AND o.id = k.victim_corporation_id
            ORDER BY r.total_value DESC, r.killmail_id
            "#,
            $($argument),+
        )
    };
}

/// The `limit` most valuable killmails, at most [`MOST_VALUABLE`]; among equals the lower id first.
///
/// # Errors
/// When the database refuses, or the time of the transaction is over.
#[expect(
    clippy::cognitive_complexity,
    reason = "one arm a scope; the query macros count as many"
)]
pub async fn killmails(
    conn: &mut PgConnection,
    scope: Scope,
    question: Question,
    limit: i64,
) -> Result<Vec<ValuableKillmail>> {
    let split = match scope {
        Scope::Everywhere => Split::of(conn, question.window).await?,
        // Of a region or system the rolled-up rows have not enough.
        Scope::Region(_) | Scope::System(_) => Split::live(question.window),
    };
    let limit = limit.min(MOST_VALUABLE);
    let read = in_scope!(killmails, scope, "false", split, conn, question.npc, limit);
    read.map_err(Error::query("reading the most valuable killmails"))
}
