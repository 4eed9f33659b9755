//! Past killmails, newest first. Every walk follows an index in its order and stops at a limit; the last row
//! of a page is where the next one goes on.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::store::document::Document;
use crate::store::{Error, Result};

/// A killmail on such a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastKillmail {
    /// Its system.
    pub solar_system_id: i64,
    /// Its id.
    pub killmail_id: i64,
    /// Its time.
    pub killmail_time: DateTime<Utc>,
    /// The canonical document, without items.
    pub document: String,
}

/// A place in time order: pages hold what lies strictly before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Before {
    /// Time of the killmail.
    pub killmail_time: DateTime<Utc>,
    /// Its id, among those of the same time.
    pub killmail_id: i64,
}

/// Whose past is asked for: killmails in one of the systems, or with one of the characters (victim or
/// attacker). Without systems and characters everything is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interests {
    /// Solar systems.
    pub systems: Vec<i64>,
    /// Characters.
    pub characters: Vec<i64>,
    /// At least this total value, ISK.
    pub min_value: Option<f64>,
}

impl Interests {
    fn everywhere(&self) -> bool {
        self.systems.is_empty() && self.characters.is_empty()
    }
}

impl Before {
    /// The end of time, as far as the database can hold it.
    pub const END: Self = Self {
        killmail_time: DateTime::from_timestamp_nanos(i64::MAX),
        killmail_id: i64::MAX,
    };

    /// The place of `killmail`.
    pub fn killmail(killmail: &PastKillmail) -> Self {
        Self {
            killmail_time: killmail.killmail_time,
            killmail_id: killmail.killmail_id,
        }
    }
}

/// Up to `limit` killmails of each system, at or after `since` and before a place; systems in the order given.
///
/// # Errors
/// When the database refuses.
pub async fn in_systems(
    executor: impl PgExecutor<'_>,
    systems: &[i64],
    since: DateTime<Utc>,
    before: Before,
    limit: i64,
) -> Result<Vec<PastKillmail>> {
    sqlx::query_as!(
        PastKillmail,
        r#"
        SELECT k.solar_system_id AS "solar_system_id!", k.killmail_id AS "killmail_id!",
            k.killmail_time AS "killmail_time!", k.document AS "document!: Document"
        FROM unnest($1::bigint[]) WITH ORDINALITY AS s (solar_system_id, place)
        CROSS JOIN LATERAL (
            SELECT solar_system_id, killmail_id, killmail_time,
                coalesce(packed_document, convert_to(document, 'UTF8')) AS document
            FROM killmails
            WHERE solar_system_id = s.solar_system_id AND killmail_time >= $2
                AND (killmail_time, killmail_id) < ($3, $4)
            ORDER BY killmail_time DESC, killmail_id DESC
            LIMIT $5
        ) AS k
        ORDER BY s.place, k.killmail_time DESC, k.killmail_id DESC
        "#,
        systems,
        since,
        before.killmail_time,
        before.killmail_id,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading past killmails of systems"))
}

/// Up to `limit` killmails that any of the interests wants, at or after `since` and before a place.
///
/// # Errors
/// When the database refuses.
pub async fn of_interests(
    executor: impl PgExecutor<'_>,
    interests: &Interests,
    since: DateTime<Utc>,
    before: Before,
    limit: i64,
) -> Result<Vec<PastKillmail>> {
    sqlx::query_file_as!(
        PastKillmail,
        "src/store/killmails/history.sql",
        &interests.systems,
        &interests.characters,
        interests.min_value,
        since,
        before.killmail_time,
        before.killmail_id,
        limit,
        interests.everywhere(),
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading past killmails"))
}

/// How many killmails [`of_interests`] would give without a limit, counted up to `at_most`.
///
/// # Errors
/// When the database refuses.
pub async fn count_of_interests(
    executor: impl PgExecutor<'_>,
    interests: &Interests,
    since: DateTime<Utc>,
    at_most: i64,
) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM (
            SELECT DISTINCT h.killmail_id
            FROM (
                SELECT k.killmail_id FROM killmails AS k
                WHERE k.solar_system_id = ANY($1) AND k.killmail_time >= $4
                    AND ($3::double precision IS NULL OR k.total_value >= $3)
                UNION ALL
                SELECT k.killmail_id FROM killmails AS k
                WHERE k.victim_character_id = ANY($2) AND k.killmail_time >= $4
                    AND ($3::double precision IS NULL OR k.total_value >= $3)
                UNION ALL
                SELECT a.killmail_id FROM attackers AS a
                WHERE a.character_id = ANY($2) AND a.killmail_time >= $4
                    AND ($3::double precision IS NULL OR EXISTS (
                        SELECT FROM killmails AS k
                        WHERE k.killmail_id = a.killmail_id AND k.killmail_time = a.killmail_time
                            AND k.total_value >= $3))
                UNION ALL
                SELECT k.killmail_id FROM killmails AS k
                WHERE $6 AND k.killmail_time >= $4
                    AND ($3::double precision IS NULL OR k.total_value >= $3)
            ) AS h
            LIMIT $5
        ) AS counted
        "#,
        &interests.systems,
        &interests.characters,
        interests.min_value,
        since,
        at_most,
        interests.everywhere(),
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting past killmails"))
}

/// How many killmails one system has had at or after `since`.
///
/// # Errors
/// When the database refuses.
pub async fn count_in_system(
    executor: impl PgExecutor<'_>,
    solar_system_id: i64,
    since: DateTime<Utc>,
) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM killmails
        WHERE solar_system_id = $1 AND killmail_time >= $2
        "#,
        solar_system_id,
        since,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting a system's killmails"))
}

/// Which of these killmails came onto the feed after a cursor.
///
/// # Errors
/// When the database refuses.
pub async fn announced_after(
    executor: impl PgExecutor<'_>,
    sequence: i64,
    killmail_ids: &[i64],
) -> Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"
        SELECT killmail_id FROM feed
        WHERE sequence > $1 AND kind = 'new' AND killmail_id = ANY($2)
        "#,
        sequence,
        killmail_ids,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("looking up what was announced"))
}

/// How much is stored, for people: an estimate of all killmails, and the systems with kills since a moment.
///
/// # Errors
/// When the database refuses.
pub async fn stored_roughly(
    executor: impl PgExecutor<'_>,
    since: DateTime<Utc>,
) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"
        SELECT
            (
                SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
                FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'killmails'::regclass
            ) AS "killmails!",
            (
                SELECT count(DISTINCT solar_system_id) FROM killmails WHERE killmail_time >= $1
            ) AS "systems!"
        "#,
        since,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("estimating what is stored"))?;
    Ok((row.killmails, row.systems))
}
