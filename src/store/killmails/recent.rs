//! The newest killmails of many systems, and how many there were.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::store::document::Document;
use crate::store::{Error, Result};

/// A killmail as a preload shows it.
#[derive(Debug, Clone)]
pub struct RecentKillmail {
    /// Its system.
    pub solar_system_id: i64,
    /// Its id.
    pub killmail_id: i64,
    /// The canonical document, without items.
    pub document: String,
}

/// How many killmails a system had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCount {
    /// The system.
    pub solar_system_id: i64,
    /// Its killmails.
    pub count: i64,
}

/// The newest `limit` killmails of each of `systems` after `since`, in the order of `systems` and newest first:
/// one short index walk per system. The caller bounds both: an answer has up to `systems.len() * limit`
/// documents.
///
/// # Errors
/// When the database refuses.
pub async fn recent(
    executor: impl PgExecutor<'_>,
    systems: &[i64],
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<RecentKillmail>> {
    sqlx::query_as!(
        RecentKillmail,
        r#"
        SELECT s.solar_system_id AS "solar_system_id!", k.killmail_id AS "killmail_id!",
            k.document AS "document!: Document"
        FROM unnest($1::bigint[]) WITH ORDINALITY AS s (solar_system_id, place)
        CROSS JOIN LATERAL (
            SELECT killmail_id, killmail_time, coalesce(packed_document, convert_to(document, 'UTF8')) AS document
            FROM killmails
            WHERE solar_system_id = s.solar_system_id AND killmail_time > $2
            ORDER BY killmail_time DESC, killmail_id DESC
            LIMIT $3
        ) AS k
        ORDER BY s.place, k.killmail_time DESC, k.killmail_id DESC
        "#,
        systems,
        since,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading the newest killmails of some systems"))
}

/// How many killmails each of `systems` had after `since`; 0 where there were none.
///
/// # Errors
/// When the database refuses.
pub async fn count_since(
    executor: impl PgExecutor<'_>,
    systems: &[i64],
    since: DateTime<Utc>,
) -> Result<Vec<SystemCount>> {
    sqlx::query_as!(
        SystemCount,
        r#"
        SELECT s.solar_system_id AS "solar_system_id!", k.count AS "count!"
        FROM unnest($1::bigint[]) AS s (solar_system_id)
        CROSS JOIN LATERAL (
            SELECT count(*) AS count
            FROM killmails
            WHERE solar_system_id = s.solar_system_id AND killmail_time > $2
        ) AS k
        "#,
        systems,
        since,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("counting the killmails of some systems"))
}
