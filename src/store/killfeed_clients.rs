//! Durable offsets of pollers that let the server remember where they are: per client and system.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::document::Document;
use super::feed::{FeedRow, Row};
use super::{Error, Result};

/// The most clients that are remembered: any request can make one up, and each costs rows.
pub const MAX_CLIENTS: i64 = 100_000;

/// The most systems one call may ask for: more than the game has.
pub const MAX_SYSTEMS: usize = 10_000;

/// How long a client that does not ask any more is remembered, in days.
pub const DAYS_REMEMBERED: i64 = 30;

/// Takes up to `limit` events of `systems` that `client_id` has not been given, oldest first, and moves its
/// offsets, in one transaction that shuts out a second poller with the same id. The floor of the log is the
/// start for a new client, and for a client in a system it has not been given anything of.
///
/// Only the offsets of the systems that events came from move, each to its last event here: an event that did
/// not fit is given the next time, and a `limit` of 1 leaves every other system alone.
///
/// # Errors
/// [`TooMany`](super::Error::TooMany) systems or clients, or when the database refuses.
pub async fn take(
    conn: &mut PgConnection,
    client_id: &str,
    systems: &[i64],
    limit: i64,
) -> Result<Vec<FeedRow>> {
    let mut systems = systems.to_vec();
    systems.sort_unstable();
    systems.dedup();
    if systems.len() > MAX_SYSTEMS {
        return Err(Error::TooMany {
            what: "systems of one client",
            limit: i64::try_from(MAX_SYSTEMS).unwrap_or(i64::MAX),
        });
    }
    enter(conn, client_id).await?;
    let rows = next_rows(conn, client_id, &systems, limit).await?;
    let given: Vec<FeedRow> = rows
        .into_iter()
        .map(FeedRow::try_from)
        .collect::<Result<_>>()?;
    move_offsets(conn, client_id, &given).await?;
    Ok(given)
}

/// Forgets up to `limit` clients not seen since `before`. Returns how many.
///
/// # Errors
/// When the database refuses.
pub async fn prune(
    executor: impl PgExecutor<'_>,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    let deleted = sqlx::query!(
        r#"
        DELETE FROM killfeed_clients
        WHERE client_id IN (
            SELECT client_id FROM killfeed_clients
            WHERE seen_at < $1
            ORDER BY seen_at
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        "#,
        before,
        limit,
    )
    .execute(executor)
    .await
    .map_err(Error::query("forgetting killfeed clients"))?;
    Ok(deleted.rows_affected())
}

/// Makes or touches the client's row, which is also its lock until the transaction ends.
async fn enter(conn: &mut PgConnection, client_id: &str) -> Result<()> {
    let made = sqlx::query_scalar!(
        r#"
        INSERT INTO killfeed_clients (client_id) VALUES ($1)
        ON CONFLICT (client_id) DO UPDATE SET seen_at = now()
        RETURNING xmax = 0 AS "made!"
        "#,
        client_id,
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(Error::query("locking a killfeed client"))?;
    if !made {
        return Ok(());
    }
    let clients = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM killfeed_clients"#)
        .fetch_one(conn)
        .await
        .map_err(Error::query("counting killfeed clients"))?;
    if clients > MAX_CLIENTS {
        return Err(Error::TooMany {
            what: "killfeed clients",
            limit: MAX_CLIENTS,
        });
    }
    Ok(())
}

async fn next_rows(
    conn: &mut PgConnection,
    client_id: &str,
    systems: &[i64],
    limit: i64,
) -> Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT f.sequence AS "sequence!", f.kind AS "kind!", f.killmail_id AS "killmail_id!",
            f.killmail_time AS "killmail_time!", f.solar_system_id AS "solar_system_id!",
            f.committed_at AS "committed_at!", k.document AS "document!: Document"
        FROM (
            SELECT e.*
            FROM unnest($2::bigint[]) AS s (solar_system_id)
            LEFT JOIN killfeed_offsets AS o
                ON o.client_id = $1 AND o.solar_system_id = s.solar_system_id
            CROSS JOIN LATERAL (
                SELECT * FROM feed
                WHERE solar_system_id = s.solar_system_id AND sequence > coalesce(o.last_sequence, 0)
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
        client_id,
        systems,
        limit,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("reading a killfeed client's events"))
}

async fn move_offsets(conn: &mut PgConnection, client_id: &str, given: &[FeedRow]) -> Result<()> {
    // Ascending, so the last event of a system stays.
    let offsets: BTreeMap<i64, i64> = given
        .iter()
        .map(|row| (row.solar_system_id, row.sequence.0))
        .collect();
    if offsets.is_empty() {
        return Ok(());
    }
    let systems: Vec<i64> = offsets.keys().copied().collect();
    let sequences: Vec<i64> = offsets.values().copied().collect();
    sqlx::query!(
        r#"
        INSERT INTO killfeed_offsets (client_id, solar_system_id, last_sequence)
        SELECT $1, u.solar_system_id, u.last_sequence
        FROM unnest($2::bigint[], $3::bigint[]) AS u (solar_system_id, last_sequence)
        ON CONFLICT (client_id, solar_system_id) DO UPDATE SET last_sequence = EXCLUDED.last_sequence
        "#,
        client_id,
        &systems,
        &sequences,
    )
    .execute(conn)
    .await
    .map_err(Error::query("moving a killfeed client's offsets"))?;
    Ok(())
}
