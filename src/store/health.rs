//! What the health endpoint asks of the database.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{Error, Result, dead_letters};

/// Counts for people end here ("a thousand or more"): health checks come every few seconds, and counting a
/// large table takes as long as it is large.
pub const MAX_COUNTED: i64 = 1_000;

/// Where the ingest stands.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestStatus {
    /// Every source that has ever been taken over, by name.
    pub sources: Vec<SourceStatus>,
    /// Documents that could not be understood, counted up to [`MAX_COUNTED`].
    pub dead_letters: i64,
    /// Time of the newest killmail; `None` in an empty database.
    pub newest_killmail: Option<DateTime<Utc>>,
}

/// Where one source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// Its name.
    pub source: String,
    /// The last position that is stored; `None` before the first.
    pub position: Option<i64>,
    /// When that was written.
    pub updated_at: DateTime<Utc>,
    /// Positions that were passed over, are not stored yet and were not closed by history; counted up to
    /// [`MAX_COUNTED`].
    pub open_gaps: i64,
}

/// Asks the database for a sign of life.
///
/// # Errors
/// When it gives none.
pub async fn ping(executor: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query_scalar!("SELECT 1 AS one")
        .fetch_one(executor)
        .await
        .map_err(Error::query("pinging the database"))?;
    Ok(())
}

/// Where the ingest stands.
///
/// # Errors
/// When the database refuses.
pub async fn ingest_status(conn: &mut PgConnection) -> Result<IngestStatus> {
    let sources = sqlx::query_as!(
        SourceStatus,
        r#"
        SELECT c.source, c.position, c.updated_at,
            (
                SELECT count(*)
                FROM (SELECT 1 FROM source_gaps WHERE source = c.source AND closed_at IS NULL LIMIT $1) AS g
            ) AS "open_gaps!"
        FROM source_cursors AS c
        ORDER BY c.source
        "#,
        MAX_COUNTED,
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(Error::query("reading the sources' status"))?;
    let newest_killmail = sqlx::query_scalar!(
        "SELECT killmail_time FROM killmails ORDER BY killmail_time DESC, killmail_id DESC LIMIT 1"
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(Error::query("reading the newest killmail's time"))?;
    Ok(IngestStatus {
        sources,
        dead_letters: dead_letters::count(conn).await?,
        newest_killmail,
    })
}

/// What enrichment and webhooks have before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkStatus {
    /// Ship types and solar systems are loaded.
    pub has_reference_data: bool,
    /// Stored documents that still lack names, types or places; counted up to [`MAX_COUNTED`].
    pub pending_documents: i64,
    /// Webhooks.
    pub webhooks: WebhookCounts,
}

/// Webhook subscriptions with an address, by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookCounts {
    /// Delivered to.
    pub active: i64,
    /// Failed lately, and tried again later.
    pub retrying: i64,
    /// Paused, by their owners or after failures.
    pub paused: i64,
    /// The place of the active one that is furthest back.
    pub furthest_back: Option<i64>,
}

/// What enrichment and webhooks have before them.
///
/// # Errors
/// When the database refuses.
pub async fn work_status(conn: &mut PgConnection) -> Result<WorkStatus> {
    let enrichment = sqlx::query!(
        r#"
        SELECT EXISTS (SELECT FROM ship_types) AND EXISTS (SELECT FROM solar_systems) AS "has_reference_data!",
            (
                SELECT count(*)
                FROM (SELECT 1 FROM killmails WHERE pending_names LIMIT $1) AS k
            ) AS "pending!"
        "#,
        MAX_COUNTED,
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::query("reading how enrichment stands"))?;
    Ok(WorkStatus {
        has_reference_data: enrichment.has_reference_data,
        pending_documents: enrichment.pending,
        webhooks: webhook_counts(conn).await?,
    })
}

/// Webhook subscriptions by state.
///
/// # Errors
/// When the database refuses.
pub async fn webhook_counts(executor: impl PgExecutor<'_>) -> Result<WebhookCounts> {
    // At most `subscriptions::MAX_SUBSCRIPTIONS` rows.
    sqlx::query_as!(
        WebhookCounts,
        r#"
        SELECT count(*) FILTER (WHERE paused_at IS NULL AND failures = 0) AS "active!",
            count(*) FILTER (WHERE paused_at IS NULL AND failures > 0) AS "retrying!",
            count(*) FILTER (WHERE paused_at IS NOT NULL) AS "paused!",
            min(cursor) FILTER (WHERE paused_at IS NULL AND failures = 0) AS furthest_back
        FROM subscriptions
        WHERE callback_url <> ''
        "#
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting webhooks by state"))
}
