//! Gaps that their source no longer fills: left to the history of the days around them.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::store::{Error, Result};

/// What closed a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The history of the days around it was read after they had ended.
    HistoryRead,
    /// It could not be had for as long as one waits for it.
    HistoryUnavailable,
}

impl Closing {
    /// The word used in storage and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HistoryRead => "history_read",
            Self::HistoryUnavailable => "history_unavailable",
        }
    }
}

/// A gap whose source is no longer asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftGap {
    /// The source.
    pub source: String,
    /// The position.
    pub position: i64,
    /// When it was passed over.
    pub recorded_at: DateTime<Utc>,
}

/// The newest gaps that are left to history and not closed.
///
/// # Errors
/// When the database refuses.
pub async fn left(executor: impl PgExecutor<'_>, limit: i64) -> Result<Vec<LeftGap>> {
    sqlx::query_as!(
        LeftGap,
        r#"
        SELECT source, position, recorded_at
        FROM source_gaps
        WHERE next_attempt_at IS NULL AND closed_at IS NULL
        ORDER BY recorded_at DESC, source, position
        LIMIT $1
        "#,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading gaps left to history"))
}

/// Closes gaps that are still left to history; what their source had given goes. Returns how many were closed.
///
/// # Errors
/// When the database refuses.
pub async fn close_by_history(
    executor: impl PgExecutor<'_>,
    gaps: &[LeftGap],
    closing: Closing,
    now: DateTime<Utc>,
) -> Result<u64> {
    let sources: Vec<String> = gaps.iter().map(|gap| gap.source.clone()).collect();
    let positions: Vec<i64> = gaps.iter().map(|gap| gap.position).collect();
    let closed = sqlx::query!(
        r#"
        UPDATE source_gaps AS g
        SET closed_at = $3, closing = $4, payload = NULL
        FROM unnest($1::text[], $2::bigint[]) AS u (source, position)
        WHERE g.source = u.source AND g.position = u.position AND g.next_attempt_at IS NULL AND g.closed_at IS NULL
        "#,
        &sources,
        &positions,
        now,
        closing.as_str(),
    )
    .execute(executor)
    .await
    .map_err(Error::query("closing gaps by history"))?;
    Ok(closed.rows_affected())
}

/// Forgets gaps that were closed before `before`.
///
/// # Errors
/// When the database refuses.
pub async fn forget_closed(executor: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<u64> {
    let forgotten = sqlx::query!("DELETE FROM source_gaps WHERE closed_at < $1", before)
        .execute(executor)
        .await
        .map_err(Error::query("forgetting closed gaps"))?;
    Ok(forgotten.rows_affected())
}
