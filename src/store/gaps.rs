//! Positions of a source that were passed over, and when to ask for them again.

mod closing;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::health::MAX_COUNTED;
use super::{Error, Result};
pub use closing::{Closing, LeftGap, close_by_history, forget_closed, left};

/// Why a position was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// It stayed 404 while later ones were there.
    Missing,
    /// A document without a body, whose body could not be fetched.
    NoBody,
    /// An earlier number that was uploaded again: refetch.
    Updated,
    /// It could not be read.
    Garbage,
}

impl GapReason {
    /// The word used in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NoBody => "no_body",
            Self::Updated => "updated",
            Self::Garbage => "garbage",
        }
    }

    /// The reason a word of [`Self::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "missing" => Some(Self::Missing),
            "no_body" => Some(Self::NoBody),
            "updated" => Some(Self::Updated),
            "garbage" => Some(Self::Garbage),
            _ => None,
        }
    }
}

/// One passed-over position.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The source.
    pub source: String,
    /// The position (RedisQ: the killmail id).
    pub position: i64,
    /// Why.
    pub reason: GapReason,
    /// What the source had given, for a document without a body.
    pub payload: Option<Vec<u8>>,
    /// How often it was asked for again.
    pub attempts: i32,
    /// When to ask next.
    pub next_attempt_at: DateTime<Utc>,
    /// When it was passed over: its killmail is looked for in the history around that day.
    pub recorded_at: DateTime<Utc>,
}

/// Records gaps inside the caller's transaction. One whose ladder is still running keeps it; one that had been
/// given up starts anew.
///
/// # Errors
/// When the database refuses.
pub async fn record(conn: &mut PgConnection, gaps: &[Gap]) -> Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    let mut distinct: Vec<&Gap> = gaps.iter().collect();
    // The same order for every writer, and each position once: a statement can't touch a row twice.
    distinct.sort_by(|a, b| (&a.source, a.position).cmp(&(&b.source, b.position)));
    distinct.dedup_by(|a, b| a.source == b.source && a.position == b.position);
    let sources: Vec<String> = distinct.iter().map(|gap| gap.source.clone()).collect();
    let positions: Vec<i64> = distinct.iter().map(|gap| gap.position).collect();
    let reasons: Vec<String> = distinct
        .iter()
        .map(|gap| gap.reason.as_str().to_owned())
        .collect();
    let payloads: Vec<Option<Vec<u8>>> = distinct.iter().map(|gap| gap.payload.clone()).collect();
    let attempts: Vec<i32> = distinct.iter().map(|gap| gap.attempts).collect();
    let next: Vec<DateTime<Utc>> = distinct.iter().map(|gap| gap.next_attempt_at).collect();
    let recorded: Vec<DateTime<Utc>> = distinct.iter().map(|gap| gap.recorded_at).collect();
    sqlx::query!(
        r#"
        INSERT INTO source_gaps AS g (source, position, reason, payload, attempts, next_attempt_at, recorded_at)
        SELECT *
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::integer[], $6::timestamptz[], $7::timestamptz[])
        ON CONFLICT (source, position) DO UPDATE
        SET reason = EXCLUDED.reason,
            payload = coalesce(EXCLUDED.payload, g.payload),
            attempts = EXCLUDED.attempts,
            next_attempt_at = EXCLUDED.next_attempt_at,
            recorded_at = EXCLUDED.recorded_at,
            closed_at = NULL,
            closing = NULL
        WHERE g.next_attempt_at IS NULL
        "#,
        &sources,
        &positions,
        &reasons,
        &payloads as &[Option<Vec<u8>>],
        &attempts,
        &next,
        &recorded,
    )
    .execute(conn)
    .await
    .map_err(Error::query("recording gaps"))?;
    Ok(())
}

/// How many gaps of a source are still looked for, counted up to [`MAX_COUNTED`].
///
/// # Errors
/// When the database refuses.
pub async fn open(executor: impl PgExecutor<'_>, source: &str) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!"
        FROM (
            SELECT 1 FROM source_gaps
            WHERE source = $1 AND next_attempt_at IS NOT NULL
            LIMIT $2
        ) AS g
        "#,
        source,
        MAX_COUNTED,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting open gaps"))
}

/// Open gaps of a source that are due, soonest first.
///
/// # Errors
/// When the database refuses.
pub async fn due(
    executor: impl PgExecutor<'_>,
    source: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Gap>> {
    let rows = sqlx::query!(
        r#"
        SELECT source, position, reason, payload, attempts, next_attempt_at AS "next_attempt_at!", recorded_at
        FROM source_gaps
        WHERE source = $1 AND next_attempt_at <= $2
        ORDER BY next_attempt_at, position
        LIMIT $3
        "#,
        source,
        now,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading due gaps"))?;
    rows.into_iter()
        .map(|row| {
            let reason = GapReason::from_word(&row.reason).ok_or_else(|| Error::BadRow {
                table: "source_gaps",
                column: "reason",
                key: format!("{} {}", row.source, row.position),
            })?;
            Ok(Gap {
                source: row.source,
                position: row.position,
                reason,
                payload: row.payload,
                attempts: row.attempts,
                next_attempt_at: row.next_attempt_at,
                recorded_at: row.recorded_at,
            })
        })
        .collect()
}

/// Counts an attempt and sets the next one; `None` closes the ladder (left for reconciliation through history). False
/// where the gap was closed meanwhile.
///
/// # Errors
/// When the database refuses.
pub async fn reschedule(
    executor: impl PgExecutor<'_>,
    source: &str,
    position: i64,
    next_attempt_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    let rescheduled = sqlx::query!(
        "UPDATE source_gaps SET attempts = attempts + 1, next_attempt_at = $3 WHERE source = $1 AND position = $2",
        source,
        position,
        next_attempt_at,
    )
    .execute(executor)
    .await
    .map_err(Error::query("rescheduling a gap"))?;
    Ok(rescheduled.rows_affected() > 0)
}

/// Closes a gap inside the transaction that stored its killmail.
///
/// # Errors
/// When the database refuses.
pub async fn close(conn: &mut PgConnection, source: &str, position: i64) -> Result<()> {
    sqlx::query!(
        "DELETE FROM source_gaps WHERE source = $1 AND position = $2",
        source,
        position,
    )
    .execute(conn)
    .await
    .map_err(Error::query("closing a gap"))?;
    Ok(())
}
