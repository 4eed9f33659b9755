//! Whatever occurs in most killmails of a window.

use sqlx::PgConnection;

use super::{Question, Scope, Split, Tally, in_scope};
use crate::store::{Error, Result};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Systems.
    System,
    /// Types that victims lost.
    ShipLost,
    /// Types that attackers flew.
    ShipUsed,
    /// Attacking characters.
    Character,
    /// Attacking corporations.
    Corporation,
    /// Attacking alliances.
    Alliance,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 6] = [
        Self::System,
        Self::ShipLost,
        Self::ShipUsed,
        Self::Character,
        Self::Corporation,
        Self::Alliance,
    ];

    /// As the table calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::ShipLost => "ship_lost",
            Self::ShipUsed => "ship_used",
            Self::Character => "character",
            Self::Corporation => "corporation",
            Self::Alliance => "alliance",
        }
    }
}

/// A place in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct TopEntry {
    /// The system, type, character, corporation or alliance.
    pub id: i64,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Its killmails, each once.
    pub tally: Tally,
}

struct Row {
    entity_id: i64,
    name: Option<String>,
    killmails: i64,
    isk: f64,
    without_value: i64,
}

/// The statement, with conditions on the rolled-up rows and on killmails.
macro_rules! rows {
    ($rolled:tt, $live:tt, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"
            WITH counted AS (
                SELECT e.entity_id, e.killmails, e.isk, e.without_value
                FROM unnest($2::date[], $3::date[]) AS r (began, ended)
                CROSS JOIN LATERAL (
                    SELECT entity_ids, killmails, isk, without_value
                    FROM statistics_days AS d
                    WHERE d.subject = $8 AND d.day >= r.began AND d.day < r.ended
                        AND ($6::boolean IS NULL OR d.npc = $6) AND "# + $rolled + r#"
                    OFFSET 0
                ) AS d
                CROSS JOIN LATERAL unnest(d.entity_ids, d.killmails, d.isk, d.without_value)
                    AS e (entity_id, killmails, isk, without_value)
                UNION ALL
                SELECT e.entity_id, 1, coalesce(k.total_value::numeric, 0), (k.total_value IS NULL)::integer
                FROM unnest($4::timestamptz[], $5::timestamptz[]) AS r (began, ended)
                CROSS JOIN LATERAL (
                    SELECT killmail_id, killmail_time, solar_system_id, ship_type_id, total_value
                    FROM killmails AS k
                    WHERE k.killmail_time >= r.began AND k.killmail_time < r.ended
                        AND ($6::boolean IS NULL OR (k.npc IS TRUE) = $6) AND "# + $live + r#"
                    OFFSET 0
                ) AS k
                CROSS JOIN LATERAL (
                    SELECT DISTINCT CASE $8 WHEN 'ship_used' THEN a.ship_type_id WHEN 'character' THEN a.character_id
                        WHEN 'corporation' THEN a.corporation_id ELSE a.alliance_id END AS entity_id
                    FROM attackers AS a
                    WHERE a.killmail_id = k.killmail_id AND a.killmail_time = k.killmail_time
                        AND $8 NOT IN ('system', 'ship_lost')
                    UNION ALL
                    SELECT CASE $8 WHEN 'system' THEN k.solar_system_id WHEN 'ship_lost' THEN k.ship_type_id END
                ) AS e
                WHERE e.entity_id IS NOT NULL
            ), ranked AS (
                SELECT entity_id, sum(killmails) AS killmails, sum(isk) AS isk, sum(without_value) AS without_value
                FROM counted
                GROUP BY entity_id
                ORDER BY 2 DESC, 3 DESC, 1
                LIMIT $7
            )
            SELECT r.entity_id AS "entity_id!", coalesce(t.name, s.name, n.name) AS name,
                r.killmails::bigint AS "killmails!", r.isk::double precision AS "isk!",
                r.without_value::bigint AS "without_value!"
            FROM ranked AS r
            LEFT JOIN ship_types AS t ON $8 IN ('ship_lost', 'ship_used') AND t.type_id = r.entity_id
            LEFT JOIN solar_systems AS s ON $8 = 'system' AND s.solar_system_id = r.entity_id
            LEFT JOIN names AS n ON n.kind = $8 AND n.id = r.entity_id
            ORDER BY r.killmails DESC, r.isk DESC, r.entity_id
            "#,
            $($argument),+
        )
    };
}

/// The `limit` ids with most killmails; among equals the more ISK first, then the lower id.
///
/// # Errors
/// When the database refuses, or the time of the transaction is over.
#[expect(
    clippy::cognitive_complexity,
    reason = "one arm a scope; the query macros count as many"
)]
pub async fn entries(
    conn: &mut PgConnection,
    subject: Subject,
    scope: Scope,
    question: Question,
    limit: i64,
) -> Result<Vec<TopEntry>> {
    let split = match scope {
        Scope::System(_) => Split::live(question.window),
        Scope::Everywhere | Scope::Region(_) => Split::of(conn, question.window).await?,
    };
    let (npc, subject) = (question.npc, subject.as_str());
    let rows = in_scope!(
        rows,
        scope,
        "d.region_id = $1",
        split,
        conn,
        npc,
        limit,
        subject
    );
    let rows = rows.map_err(Error::query("reading a list of the top"))?;
    let entries = rows.into_iter().map(|row| TopEntry {
        id: row.entity_id,
        name: row.name,
        tally: Tally {
            killmails: row.killmails,
            isk: row.isk,
            without_value: row.without_value,
        },
    });
    Ok(entries.collect())
}
