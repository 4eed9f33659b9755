//! The two ends of the log: what is appended, what is pruned.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{CHANNEL, FeedEntry};
use crate::domain::FeedSequence;
use crate::store::{Error, Result};

/// Appends events in order, under the log's lock, and sends one NOTIFY. Sequences have no holes.
/// Returns the sequence of the last event, `None` when `entries` is empty: the events have the numbers up to
/// it, in the order of `entries`. The lock is held until the transaction ends, so append last.
///
/// # Errors
/// When the database refuses.
pub async fn append(
    conn: &mut PgConnection,
    entries: &[FeedEntry],
) -> Result<Option<FeedSequence>> {
    let Ok(count) = i64::try_from(entries.len()) else {
        return Ok(None);
    };
    if count == 0 {
        return Ok(None);
    }
    lock(conn).await?;
    let head = sqlx::query_scalar!(
        "UPDATE feed_head SET head = head + $1 RETURNING head",
        count
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::query("drawing feed sequences"))?;
    let ids: Vec<i64> = entries.iter().map(|entry| entry.killmail_id).collect();
    let times: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.killmail_time).collect();
    let systems: Vec<i64> = entries.iter().map(|entry| entry.solar_system_id).collect();
    let kinds: Vec<String> = entries
        .iter()
        .map(|entry| entry.kind.as_str().to_owned())
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO feed (sequence, killmail_id, killmail_time, solar_system_id, kind)
        SELECT $1 + e.place, e.killmail_id, e.killmail_time, e.solar_system_id, e.kind
        FROM unnest($2::bigint[], $3::timestamptz[], $4::bigint[], $5::text[]) WITH ORDINALITY
            AS e (killmail_id, killmail_time, solar_system_id, kind, place)
        "#,
        head - count,
        &ids,
        &times,
        &systems,
        &kinds,
    )
    .execute(&mut *conn)
    .await
    .map_err(Error::query("appending to the feed"))?;
    sqlx::query!("SELECT pg_notify($1, '')", CHANNEL)
        .execute(conn)
        .await
        .map_err(Error::query("notifying the feed's readers"))?;
    Ok(Some(FeedSequence(head)))
}

/// The log's lock, until the transaction ends: commit order is sequence order.
async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('feed'))")
        .execute(conn)
        .await
        .map_err(Error::query("locking the feed"))?;
    Ok(())
}

/// Deletes up to `limit` events committed before `before`, oldest first, and moves the floor. Returns how many.
/// Call it in a transaction of its own, again and again until it returns 0.
///
/// # Errors
/// When the database refuses.
pub async fn prune(conn: &mut PgConnection, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    lock(conn).await?;
    // Only a prefix goes: a clock that was set back must not make a hole.
    let deleted = sqlx::query!(
        r#"
        WITH oldest AS (
            SELECT sequence, committed_at FROM feed ORDER BY sequence LIMIT $2
        ), cut AS (
            SELECT coalesce(min(sequence) FILTER (WHERE committed_at >= $1) - 1, max(sequence)) AS sequence
            FROM oldest
        ), gone AS (
            DELETE FROM feed USING cut WHERE feed.sequence <= cut.sequence RETURNING feed.sequence
        )
        UPDATE feed_head
        SET floor = greatest(floor, (SELECT max(sequence) FROM gone))
        WHERE EXISTS (SELECT FROM gone)
        RETURNING (SELECT count(*) FROM gone) AS "count!"
        "#,
        before,
        limit,
    )
    .fetch_optional(conn)
    .await
    .map_err(Error::query("pruning the feed"))?;
    Ok(deleted.map_or(0, |row| u64::try_from(row.count).unwrap_or_default()))
}
