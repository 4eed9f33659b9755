//! RedisQ queues: one cursor each, remembered for a time that the client may shorten.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{Error, Result};
use crate::domain::FeedSequence;

/// The most queues that are remembered: any request can make one up, and each is counted on every making.
pub const MAX_QUEUES: i64 = 10_000;

/// Forgotten queues that are deleted when a new one is made: more than one, so that they never pile up.
const BURIED_AT_ONCE: i64 = 100;

/// Where a queue stands. One that is unknown, or forgotten by `now`, is made and starts at `head`. It is
/// remembered until `forget_at` from here on. Call it in a transaction of its own.
///
/// # Errors
/// [`TooMany`](super::Error::TooMany) queues, or when the database refuses.
pub async fn enter(
    conn: &mut PgConnection,
    queue_id: &str,
    head: FeedSequence,
    now: DateTime<Utc>,
    forget_at: DateTime<Utc>,
) -> Result<FeedSequence> {
    let row = sqlx::query!(
        r#"
        INSERT INTO redisq_queues AS q (queue_id, last_sequence, created_at, seen_at, forget_at)
        VALUES ($1, $2, $3, $3, $4)
        ON CONFLICT (queue_id) DO UPDATE SET
            last_sequence = CASE WHEN q.forget_at <= $3 THEN EXCLUDED.last_sequence ELSE q.last_sequence END,
            created_at = CASE WHEN q.forget_at <= $3 THEN EXCLUDED.created_at ELSE q.created_at END,
            seen_at = EXCLUDED.seen_at,
            forget_at = EXCLUDED.forget_at
        RETURNING last_sequence, xmax = 0 AS "made!"
        "#,
        queue_id,
        head.0,
        now,
        forget_at,
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::query("finding a queue"))?;
    if row.made {
        make_room(conn, now).await?;
    }
    Ok(FeedSequence(row.last_sequence))
}

/// Moves a queue from one position to another; false when it does not stand at `from` any more: another
/// poll has moved it, and what lies between is that one's.
///
/// # Errors
/// When the database refuses.
pub async fn advance(
    executor: impl PgExecutor<'_>,
    queue_id: &str,
    from: FeedSequence,
    to: FeedSequence,
    now: DateTime<Utc>,
    forget_at: DateTime<Utc>,
) -> Result<bool> {
    let moved = sqlx::query!(
        r#"
        UPDATE redisq_queues SET last_sequence = $3, seen_at = $4, forget_at = $5
        WHERE queue_id = $1 AND last_sequence = $2
        "#,
        queue_id,
        from.0,
        to.0,
        now,
        forget_at,
    )
    .execute(executor)
    .await
    .map_err(Error::query("moving a queue"))?;
    Ok(moved.rows_affected() > 0)
}

async fn make_room(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM redisq_queues
        WHERE queue_id IN (
            SELECT queue_id FROM redisq_queues
            WHERE forget_at <= $1
            ORDER BY forget_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        "#,
        now,
        BURIED_AT_ONCE,
    )
    .execute(&mut *conn)
    .await
    .map_err(Error::query("deleting forgotten queues"))?;
    let queues = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM redisq_queues"#)
        .fetch_one(conn)
        .await
        .map_err(Error::query("counting queues"))?;
    if queues > MAX_QUEUES {
        return Err(Error::TooMany {
            what: "queues",
            limit: MAX_QUEUES,
        });
    }
    Ok(())
}
