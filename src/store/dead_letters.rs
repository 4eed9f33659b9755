//! What could not be understood, kept with its reason and bytes.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::health::MAX_COUNTED;
use super::text::storable_prefix;
use super::{Error, Result};

/// The most bytes of a payload that are kept.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// The most characters of source, position and code that are kept: they are an index key, which has a limit.
const MAX_KEY_CHARACTERS: usize = 300;

/// The most characters of a reason that are kept: a sentence, not the document.
const MAX_REASON_CHARACTERS: usize = 2000;

/// One document that is not a killmail.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// The source, such as `r2z2` or `import`.
    pub source: String,
    /// Where in the source: a sequence, a file and line.
    pub position: String,
    /// Stable word for the kind of failure, such as `not_json`.
    pub code: String,
    /// The sentence that says what is wrong.
    pub reason: String,
    /// The bytes, cut to [`MAX_PAYLOAD_BYTES`].
    pub payload: Vec<u8>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// Keeps dead letters; the same source, position and payload again changes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &mut PgConnection, letters: &[DeadLetter]) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let texts = |field: fn(&DeadLetter) -> &str, limit: usize| -> Vec<String> {
        letters
            .iter()
            .map(|letter| storable_prefix(field(letter), limit))
            .collect()
    };
    let payloads: Vec<Vec<u8>> = letters
        .iter()
        .map(|letter| {
            letter
                .payload
                .iter()
                .take(MAX_PAYLOAD_BYTES)
                .copied()
                .collect()
        })
        .collect();
    let received: Vec<DateTime<Utc>> = letters.iter().map(|letter| letter.received_at).collect();
    sqlx::query!(
        r#"
        INSERT INTO dead_letters (source, position, code, reason, payload, received_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
        ON CONFLICT DO NOTHING
        "#,
        &texts(|letter| &letter.source, MAX_KEY_CHARACTERS),
        &texts(|letter| &letter.position, MAX_KEY_CHARACTERS),
        &texts(|letter| &letter.code, MAX_KEY_CHARACTERS),
        &texts(|letter| &letter.reason, MAX_REASON_CHARACTERS),
        &payloads,
        &received,
    )
    .execute(conn)
    .await
    .map_err(Error::query("keeping dead letters"))?;
    Ok(())
}

/// How many are kept, counted up to [`MAX_COUNTED`].
///
/// # Errors
/// When the database refuses.
pub async fn count(executor: impl PgExecutor<'_>) -> Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM (SELECT 1 FROM dead_letters LIMIT $1) AS l"#,
        MAX_COUNTED,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("counting dead letters"))
}

/// The newest ones.
///
/// # Errors
/// When the database refuses.
pub async fn newest(executor: impl PgExecutor<'_>, limit: i64) -> Result<Vec<DeadLetter>> {
    sqlx::query_as!(
        DeadLetter,
        r#"
        SELECT source, position, code, reason, payload, received_at
        FROM dead_letters
        ORDER BY dead_letter_id DESC
        LIMIT $1
        "#,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading dead letters"))
}
