//! Positions in upstreams, fenced so that only the present ingester moves them.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{Error, Result};

/// A source's stored position.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCursor {
    /// The last position that is stored: for R2Z2 the next number to ask for is one more.
    pub position: i64,
    /// What else the source needs after a restart (RedisQ: its queue id).
    pub detail: serde_json::Value,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// Takes the source over: raises and returns its epoch. Earlier holders' [`save`] calls fail from now on;
/// one that is being committed at this moment is waited for.
///
/// # Errors
/// When the database refuses.
pub async fn take_over(executor: impl PgExecutor<'_>, source: &str) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO source_cursors AS c (source, epoch) VALUES ($1, 1)
        ON CONFLICT (source) DO UPDATE SET epoch = c.epoch + 1
        RETURNING epoch
        "#,
        source,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("taking a source over"))
}

/// The stored position; `None` before the first [`save`].
///
/// # Errors
/// When the database refuses.
pub async fn load(executor: impl PgExecutor<'_>, source: &str) -> Result<Option<SourceCursor>> {
    sqlx::query_as!(
        SourceCursor,
        r#"
        SELECT position AS "position!", detail, updated_at
        FROM source_cursors
        WHERE source = $1 AND position IS NOT NULL
        "#,
        source,
    )
    .fetch_optional(executor)
    .await
    .map_err(Error::query("reading a source's position"))
}

/// Writes the position inside the caller's transaction. A lower position than the stored one is only taken
/// with `rewind`; without `detail` the stored one stays. The source counts as followed without a break since
/// its first position, or since the last one that was reached by skipping others (a rewind, `skipped` in the
/// detail); a `redisq` server forgets its queues, so there two hours without a position are a break.
///
/// # Errors
/// [`Fenced`](super::Error::Fenced) when another process has taken over since `epoch`, or `source` was never
/// taken over.
pub async fn save(
    conn: &mut PgConnection,
    source: &str,
    epoch: i64,
    position: i64,
    detail: Option<&serde_json::Value>,
    rewind: bool,
) -> Result<()> {
    let written = sqlx::query!(
        r#"
        UPDATE source_cursors
        SET position = CASE WHEN $5 THEN $3 ELSE greatest(position, $3) END,
            detail = coalesce($4, detail),
            followed_since = CASE
                WHEN $5 OR $4 ? 'skipped' OR source = 'redisq' AND updated_at < now() - interval '2 hours' THEN now()
                ELSE coalesce(followed_since, now())
            END,
            updated_at = now()
        WHERE source = $1 AND epoch = $2
        "#,
        source,
        epoch,
        position,
        detail,
        rewind,
    )
    .execute(conn)
    .await
    .map_err(Error::query("writing a source's position"))?;
    if written.rows_affected() == 0 {
        return Err(Error::Fenced {
            source_name: source.to_owned(),
        });
    }
    Ok(())
}
