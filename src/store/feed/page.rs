//! The log, read. Every LATERAL below has a limit: it keeps the documents a look-up per event, whatever the
//! planner believes of the page's size.

use sqlx::PgExecutor;

use super::{FeedRow, Row};
use crate::domain::FeedSequence;
use crate::store::document::Document;
use crate::store::{Error, Result};

/// Events after a cursor, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn page(
    executor: impl PgExecutor<'_>,
    after: FeedSequence,
    limit: i64,
) -> Result<Vec<FeedRow>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT f.sequence, f.kind, f.killmail_id, f.killmail_time, f.solar_system_id, f.committed_at,
            k.document AS "document!: Document"
        FROM (SELECT * FROM feed WHERE sequence > $1 ORDER BY sequence LIMIT $2) AS f
        CROSS JOIN LATERAL (
            SELECT coalesce(packed_document, convert_to(document, 'UTF8')) AS document
            FROM killmails
            WHERE killmail_id = f.killmail_id AND killmail_time = f.killmail_time
            LIMIT 1
        ) AS k
        ORDER BY f.sequence
        "#,
        after.0,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading the feed"))?;
    rows.into_iter().map(FeedRow::try_from).collect()
}

/// The newest `limit` events, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn latest(executor: impl PgExecutor<'_>, limit: i64) -> Result<Vec<FeedRow>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT f.sequence, f.kind, f.killmail_id, f.killmail_time, f.solar_system_id, f.committed_at,
            k.document AS "document!: Document"
        FROM (SELECT * FROM feed ORDER BY sequence DESC LIMIT $1) AS f
        CROSS JOIN LATERAL (
            SELECT coalesce(packed_document, convert_to(document, 'UTF8')) AS document
            FROM killmails
            WHERE killmail_id = f.killmail_id AND killmail_time = f.killmail_time
            LIMIT 1
        ) AS k
        ORDER BY f.sequence
        "#,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading the newest of the feed"))?;
    rows.into_iter().map(FeedRow::try_from).collect()
}

/// Events after a cursor in some systems only, oldest first: one short index walk per system.
///
/// # Errors
/// When the database refuses.
pub async fn page_in_systems(
    executor: impl PgExecutor<'_>,
    after: FeedSequence,
    systems: &[i64],
    limit: i64,
) -> Result<Vec<FeedRow>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT f.sequence AS "sequence!", f.kind AS "kind!", f.killmail_id AS "killmail_id!",
            f.killmail_time AS "killmail_time!", f.solar_system_id AS "solar_system_id!",
            f.committed_at AS "committed_at!", k.document AS "document!: Document"
        FROM (
            SELECT e.*
            FROM (SELECT DISTINCT unnest($2::bigint[])) AS s (solar_system_id)
            CROSS JOIN LATERAL (
                SELECT * FROM feed
                WHERE solar_system_id = s.solar_system_id AND sequence > $1
                ORDER BY sequence
                LIMIT $3
            ) AS e
            ORDER BY e.sequence
            LIMIT $3
        ) AS f
        CROSS JOIN LATERAL (
            SELECT coalesce(packed_document, convert_to(document, 'UTF8')) AS document
            FROM killmails
            WHERE killmail_id = f.killmail_id AND killmail_time = f.killmail_time
            LIMIT 1
        ) AS k
        ORDER BY f.sequence
        "#,
        after.0,
        systems,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading the feed of some systems"))?;
    rows.into_iter().map(FeedRow::try_from).collect()
}
