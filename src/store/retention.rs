//! Killmails that are no longer kept, and what goes with them.
//!
//! A killmail that the feed names stays until the feed forgets it: whoever reads the log reads documents with it.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::stats::marks;
use super::{Error, Result};

/// How long a drop may wait for readers and writers of killmails. Those who come meanwhile wait as long.
const DROP_PATIENCE: &str = "200ms";

/// Years that have partitions of their own, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn years(executor: impl PgExecutor<'_>) -> Result<Vec<i32>> {
    sqlx::query_scalar!(
        r#"
        SELECT right(c.relname, 4)::integer AS "year!"
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'killmails'::regclass AND c.relname ~ '^killmails_[0-9]{4}$'
        ORDER BY 1
        "#
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("listing years"))
}

/// Drops the partitions of a year. False where the feed still names a killmail of it.
///
/// # Errors
/// When the database refuses; transient where somebody reads or writes killmails for longer than one waits.
pub async fn drop_year(pool: &PgPool, year: i32) -> Result<bool> {
    let failed = "dropping a year";
    let mut transaction = pool.begin().await.map_err(Error::query(failed))?;
    sqlx::query_scalar!("SELECT set_config('lock_timeout', $1, true)", DROP_PATIENCE)
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::query(failed))?;
    let dropped = sqlx::query_scalar!(r#"SELECT drop_year_partitions($1) AS "dropped!""#, year)
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::query(failed))?;
    transaction.commit().await.map_err(Error::query(failed))?;
    Ok(dropped)
}

/// A walk through what happened before `horizon`, oldest first.
#[derive(Debug, Clone)]
pub struct Expiry {
    horizon: DateTime<Utc>,
    /// Nothing before that is looked at.
    from: Option<DateTime<Utc>>,
    /// What the feed names of the time before the horizon.
    spared: Vec<i64>,
    /// The feed was looked through up to this sequence.
    seen: i64,
}

impl Expiry {
    /// A walk that begins at `from`, or at the oldest killmail.
    pub fn new(from: Option<DateTime<Utc>>, horizon: DateTime<Utc>) -> Self {
        Self {
            horizon,
            from,
            spared: Vec::new(),
            seen: 0,
        }
    }

    /// Deletes the next killmails, at most `limit`, with their attackers and what else is about them alone, and marks
    /// their days for statistics. Returns how many; `None` once none is left.
    ///
    /// Rows are locked before the log is looked through: whoever changes a killmail announces it before letting its row
    /// go, so that no announcement comes after the look. A row that somebody else has locked is left to the next walk.
    ///
    /// # Errors
    /// When the database refuses; nothing is deleted then, and the same call goes on.
    pub async fn delete_next(&mut self, pool: &PgPool, limit: i64) -> Result<Option<u64>> {
        let failed = "deleting expired killmails";
        let mut transaction = pool.begin().await.map_err(Error::query(failed))?;
        let conn = &mut *transaction;
        let candidates = self.lock_next(conn, limit).await?;
        let Some((_, last)) = candidates.last().copied() else {
            return Ok(None);
        };
        let (spared, seen) = self.named_since(conn).await?;
        let (ids, times): (Vec<i64>, Vec<DateTime<Utc>>) = candidates
            .into_iter()
            .filter(|(id, _)| !spared.contains(id))
            .unzip();
        delete(conn, &ids, &times).await?;
        marks::set(conn, times.iter().copied()).await?;
        transaction.commit().await.map_err(Error::query(failed))?;
        self.spared.extend(spared);
        self.seen = seen;
        self.from = Some(last);
        Ok(Some(u64::try_from(ids.len()).unwrap_or_default()))
    }

    async fn lock_next(
        &self,
        conn: &mut PgConnection,
        limit: i64,
    ) -> Result<Vec<(i64, DateTime<Utc>)>> {
        let rows = sqlx::query!(
            r#"
            SELECT killmail_id, killmail_time
            FROM killmails
            WHERE killmail_time >= coalesce($1, '-infinity'::timestamptz) AND killmail_time < $2
                AND killmail_id <> ALL ($3)
            ORDER BY killmail_time, killmail_id
            LIMIT $4
            FOR UPDATE SKIP LOCKED
            "#,
            self.from,
            self.horizon,
            &self.spared,
            limit,
        )
        .fetch_all(conn)
        .await
        .map_err(Error::query("looking for expired killmails"))?;
        Ok(rows
            .into_iter()
            .map(|row| (row.killmail_id, row.killmail_time))
            .collect())
    }

    /// What the feed has come to name since the last look, and how far it was looked through.
    async fn named_since(&self, conn: &mut PgConnection) -> Result<(Vec<i64>, i64)> {
        let failed = "looking for expired killmails in the feed";
        let head = sqlx::query_scalar!("SELECT head FROM feed_head")
            .fetch_one(&mut *conn)
            .await
            .map_err(Error::query(failed))?;
        let named = sqlx::query_scalar!(
            "SELECT killmail_id FROM feed WHERE sequence > $1 AND killmail_time < $2",
            self.seen,
            self.horizon,
        )
        .fetch_all(conn)
        .await
        .map_err(Error::query(failed))?;
        Ok((named, head))
    }
}

async fn delete(conn: &mut PgConnection, ids: &[i64], times: &[DateTime<Utc>]) -> Result<()> {
    let failed = "deleting expired killmails";
    sqlx::query!(
        r#"
        DELETE FROM attackers AS a
        USING unnest($1::bigint[], $2::timestamptz[]) AS u (killmail_id, killmail_time)
        WHERE a.killmail_id = u.killmail_id AND a.killmail_time = u.killmail_time
        "#,
        ids,
        times,
    )
    .execute(&mut *conn)
    .await
    .map_err(Error::query(failed))?;
    sqlx::query!(
        "DELETE FROM value_attempts WHERE killmail_id = ANY ($1)",
        ids
    )
    .execute(&mut *conn)
    .await
    .map_err(Error::query(failed))?;
    sqlx::query!(
        r#"
        DELETE FROM killmails AS k
        USING unnest($1::bigint[], $2::timestamptz[]) AS u (killmail_id, killmail_time)
        WHERE k.killmail_id = u.killmail_id AND k.killmail_time = u.killmail_time
        "#,
        ids,
        times,
    )
    .execute(conn)
    .await
    .map_err(Error::query(failed))?;
    Ok(())
}

/// Takes back what is said of the time before `horizon`: days that are filled or checked, pasts that are known.
///
/// # Errors
/// When the database refuses.
pub async fn forget(conn: &mut PgConnection, horizon: DateTime<Utc>) -> Result<()> {
    let failed = "forgetting what is known of expired days";
    let day = horizon.date_naive();
    sqlx::query!("DELETE FROM backfill_days WHERE day < $1", day)
        .execute(&mut *conn)
        .await
        .map_err(Error::query(failed))?;
    sqlx::query!("DELETE FROM day_checks WHERE day < $1", day)
        .execute(&mut *conn)
        .await
        .map_err(Error::query(failed))?;
    sqlx::query!(
        r#"
        UPDATE history_wishes
        SET known_from = CASE WHEN known_until > $1 THEN $1 END,
            known_until = CASE WHEN known_until > $1 THEN known_until END
        WHERE known_from < $1
        "#,
        horizon,
    )
    .execute(conn)
    .await
    .map_err(Error::query(failed))?;
    Ok(())
}

/// Forgets attempts to get values of killmails that went with a dropped year.
///
/// # Errors
/// When the database refuses.
pub async fn forget_attempts(
    executor: impl PgExecutor<'_>,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    let forgotten = sqlx::query!(
        r#"
        DELETE FROM value_attempts
        WHERE killmail_id IN (
            SELECT a.killmail_id FROM value_attempts AS a
            WHERE a.recorded_at < $1 AND NOT EXISTS (SELECT FROM killmails AS k WHERE k.killmail_id = a.killmail_id)
            LIMIT $2
        )
        "#,
        before,
        limit,
    )
    .execute(executor)
    .await
    .map_err(Error::query("forgetting attempts to get values"))?;
    Ok(forgotten.rows_affected())
}
