//! Tokens that an operator handed out. Only digests are kept: who reads the table can't use them.

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgExecutor};

use super::{Error, Result};

/// The most tokens that are kept, revoked ones included: they are handed out by hand.
pub const MAX_TOKENS: i64 = 10_000;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Making, listing and ending webhook subscriptions.
    Subscriptions,
    /// Historical queries without a limit.
    Export,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Subscriptions, Self::Export];

    /// The word in storage and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscriptions => "subscriptions",
            Self::Export => "export",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A token, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Whom it is for.
    pub name: String,
    /// The words of its scopes.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it is good for nothing; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last shown, to the hour.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Keeps a token; false where one that is not revoked has the name.
///
/// # Errors
/// [`TooMany`](super::Error::TooMany) tokens, or when the database refuses.
pub async fn insert(
    conn: &mut PgConnection,
    name: &str,
    token: &str,
    scopes: &[Scope],
    now: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM api_tokens"#)
        .fetch_one(&mut *conn)
        .await
        .map_err(Error::query("counting API tokens"))?;
    if count >= MAX_TOKENS {
        return Err(Error::TooMany {
            what: "API tokens",
            limit: MAX_TOKENS,
        });
    }
    let words: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let inserted = sqlx::query!(
        r#"
        INSERT INTO api_tokens (name, digest, scopes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
        "#,
        name,
        digest(token),
        &words,
        now,
        expires_at,
    )
    .execute(conn)
    .await
    .map_err(Error::query("keeping an API token"))?;
    Ok(inserted.rows_affected() > 0)
}

/// All tokens, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn list(executor: impl PgExecutor<'_>) -> Result<Vec<ApiToken>> {
    sqlx::query_as!(
        ApiToken,
        r#"
        SELECT name, scopes, created_at, expires_at, last_used_at, revoked_at
        FROM api_tokens
        ORDER BY token_id
        LIMIT $1
        "#,
        MAX_TOKENS,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("listing API tokens"))
}

/// Revokes the token of this name; false where there is none.
///
/// # Errors
/// When the database refuses.
pub async fn revoke(executor: impl PgExecutor<'_>, name: &str, now: DateTime<Utc>) -> Result<bool> {
    let revoked = sqlx::query!(
        "UPDATE api_tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL",
        name,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("revoking an API token"))?;
    Ok(revoked.rows_affected() > 0)
}

/// The scopes of a token that is good at `now`, and a note that it was used; `None` where it is unknown, revoked or
/// expired.
///
/// # Errors
/// When the database refuses.
pub async fn scopes(
    conn: &mut PgConnection,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<Vec<String>>> {
    let digest = digest(token);
    let scopes = sqlx::query_scalar!(
        r#"
        SELECT scopes
        FROM api_tokens
        WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
        "#,
        digest,
        now,
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(Error::query("looking an API token up"))?;
    if scopes.is_some() {
        // To the hour: not every request is to write.
        sqlx::query!(
            r#"
            UPDATE api_tokens SET last_used_at = $2
            WHERE digest = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 hour')
            "#,
            digest,
            now,
        )
        .execute(conn)
        .await
        .map_err(Error::query("noting that an API token was used"))?;
    }
    Ok(scopes)
}
