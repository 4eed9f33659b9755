//! A participant in short.

use sqlx::PgConnection;

use super::{Question, Tally};
use crate::store::{Error, Result};

/// How many of a participant's ships are told.
pub const MOST_SHIPS: i64 = 10;

/// Whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// A character.
    Character(i64),
    /// A corporation.
    Corporation(i64),
    /// An alliance.
    Alliance(i64),
}

impl Party {
    fn key(self) -> (&'static str, i64) {
        match self {
            Self::Character(id) => ("character", id),
            Self::Corporation(id) => ("corporation", id),
            Self::Alliance(id) => ("alliance", id),
        }
    }
}

/// Kills or losses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// All of them.
    pub total: Tally,
    /// How many were solo.
    pub solo: i64,
    /// How many there were in each hour of the day, UTC.
    pub by_hour: [i64; 24],
    /// The ships that were most often flown, or lost.
    pub ships: Vec<Ship>,
}

/// A type with its killmails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ship {
    /// The type.
    pub ship_type_id: i64,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// How many.
    pub killmails: i64,
}

/// A participant in a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Its ticker.
    pub ticker: Option<String>,
    /// Killmails with it among the attackers.
    pub kills: Side,
    /// Killmails of its losses.
    pub losses: Side,
}

struct CountRow {
    is_loss: bool,
    hour: Option<i32>,
    killmails: i64,
    isk: f64,
    without_value: i64,
    solo: i64,
}

struct ShipRow {
    is_loss: bool,
    ship_type_id: i64,
    name: Option<String>,
    killmails: i64,
}

/// Counts by hour of the day, and altogether (no hour).
macro_rules! counts {
    ($attacker:tt, $victim:tt, $id:expr, $question:expr) => {
        sqlx::query_as!(
            CountRow,
            r#"
            SELECT b.is_loss AS "is_loss!", b.hour, count(*) AS "killmails!",
                coalesce(sum(b.total_value::numeric), 0)::double precision AS "isk!",
                count(*) FILTER (WHERE b.total_value IS NULL) AS "without_value!",
                count(*) FILTER (WHERE b.solo) AS "solo!"
            FROM (
                SELECT false AS is_loss, extract(hour FROM k.killmail_time AT TIME ZONE 'UTC')::integer AS hour,
                    k.total_value, coalesce(k.solo, k.attacker_count = 1) AS solo
                FROM (
                    SELECT DISTINCT killmail_time, killmail_id
                    FROM attackers
                    WHERE killmail_time >= $2 AND killmail_time < $3 AND "# + $attacker + r#" = $1
                ) AS a
                JOIN killmails AS k ON k.killmail_id = a.killmail_id AND k.killmail_time = a.killmail_time
                WHERE $4::boolean IS NULL OR (k.npc IS TRUE) = $4
                UNION ALL
                SELECT true, extract(hour FROM k.killmail_time AT TIME ZONE 'UTC')::integer, k.total_value,
                    coalesce(k.solo, k.attacker_count = 1)
                FROM killmails AS k
                WHERE k.killmail_time >= $2 AND k.killmail_time < $3 AND k."# + $victim + r#" = $1
                    AND ($4::boolean IS NULL OR (k.npc IS TRUE) = $4)
            ) AS b
            GROUP BY GROUPING SETS ((b.is_loss, b.hour), (b.is_loss))
            "#,
            $id,
            $question.window.from,
            $question.window.to,
            $question.npc,
        )
    };
}

macro_rules! ships {
    ($attacker:tt, $victim:tt, $id:expr, $question:expr) => {
        sqlx::query_as!(
            ShipRow,
            r#"
            SELECT b.is_loss AS "is_loss!", b.ship_type_id AS "ship_type_id!", t.name AS "name?",
                b.killmails AS "killmails!"
            FROM (
                (
                    SELECT false AS is_loss, ship_type_id, count(DISTINCT killmail_id) AS killmails
                    FROM attackers AS a
                    WHERE killmail_time >= $2 AND killmail_time < $3 AND ship_type_id IS NOT NULL
                        AND "# + $attacker + r#" = $1
                        AND ($5::boolean IS NULL OR (
                            SELECT k.npc IS TRUE
                            FROM killmails AS k
                            WHERE k.killmail_id = a.killmail_id AND k.killmail_time = a.killmail_time) = $5)
                    GROUP BY ship_type_id
                    ORDER BY 3 DESC, 2
                    LIMIT $4
                )
                UNION ALL
                (
                    SELECT true, ship_type_id, count(*)
                    FROM killmails
                    WHERE killmail_time >= $2 AND killmail_time < $3 AND ship_type_id IS NOT NULL
                        AND "# + $victim + r#" = $1 AND ($5::boolean IS NULL OR (npc IS TRUE) = $5)
                    GROUP BY ship_type_id
                    ORDER BY 3 DESC, 2
                    LIMIT $4
                )
            ) AS b
            LEFT JOIN ship_types AS t ON t.type_id = b.ship_type_id
            ORDER BY b.is_loss, b.killmails DESC, b.ship_type_id
            "#,
            $id,
            $question.window.from,
            $question.window.to,
            MOST_SHIPS,
            $question.npc,
        )
    };
}

/// The participant's kills and losses in a window; all of it zero where there are none.
///
/// # Errors
/// When the database refuses, or the time of the transaction is over.
pub async fn of(conn: &mut PgConnection, party: Party, question: Question) -> Result<Summary> {
    let failed = || Error::query("reading a summary");
    let (kind, id) = party.key();
    let named = sqlx::query!(
        "SELECT name, ticker FROM names WHERE kind = $1 AND id = $2",
        kind,
        id
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed())?;
    let mut summary = Summary::default();
    if let Some(named) = named {
        summary.name = Some(named.name);
        summary.ticker = named.ticker;
    }
    for row in counted(conn, party, question).await.map_err(failed())? {
        let side = summary.side(row.is_loss);
        let Some(hour) = row.hour else {
            side.solo = row.solo;
            side.total = Tally {
                killmails: row.killmails,
                isk: row.isk,
                without_value: row.without_value,
            };
            continue;
        };
        let hour = usize::try_from(hour).unwrap_or_default();
        if let Some(count) = side.by_hour.get_mut(hour) {
            *count = row.killmails;
        }
    }
    for row in shipped(conn, party, question).await.map_err(failed())? {
        summary.side(row.is_loss).ships.push(Ship {
            ship_type_id: row.ship_type_id,
            name: row.name,
            killmails: row.killmails,
        });
    }
    Ok(summary)
}

impl Summary {
    fn side(&mut self, is_loss: bool) -> &mut Side {
        if is_loss {
            &mut self.losses
        } else {
            &mut self.kills
        }
    }
}

async fn counted(
    conn: &mut PgConnection,
    party: Party,
    question: Question,
) -> Result<Vec<CountRow>, sqlx::Error> {
    match party {
        Party::Character(id) => {
            counts!("character_id", "victim_character_id", id, question)
                .fetch_all(conn)
                .await
        }
        Party::Corporation(id) => {
            counts!("corporation_id", "victim_corporation_id", id, question)
                .fetch_all(conn)
                .await
        }
        Party::Alliance(id) => {
            counts!("alliance_id", "victim_alliance_id", id, question)
                .fetch_all(conn)
                .await
        }
    }
}

async fn shipped(
    conn: &mut PgConnection,
    party: Party,
    question: Question,
) -> Result<Vec<ShipRow>, sqlx::Error> {
    match party {
        Party::Character(id) => {
            ships!("character_id", "victim_character_id", id, question)
                .fetch_all(conn)
                .await
        }
        Party::Corporation(id) => {
            ships!("corporation_id", "victim_corporation_id", id, question)
                .fetch_all(conn)
                .await
        }
        Party::Alliance(id) => {
            ships!("alliance_id", "victim_alliance_id", id, question)
                .fetch_all(conn)
                .await
        }
    }
}
