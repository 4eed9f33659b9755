//! Names of characters, corporations, alliances and factions.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::text::storable;
use super::{Error, Result};
use crate::domain::{EntityKey, EntityKind, EntityName};

/// The names of `keys` that are known.
///
/// # Errors
/// When the database refuses.
pub async fn load(
    executor: impl PgExecutor<'_>,
    keys: &[EntityKey],
) -> Result<Vec<(EntityKey, EntityName)>> {
    let dated = load_dated(executor, keys).await?;
    Ok(dated
        .into_iter()
        .map(|(key, name, _)| (key, name))
        .collect())
}

/// The names of `keys` that are known, and when each was last confirmed.
///
/// # Errors
/// When the database refuses.
pub async fn load_dated(
    executor: impl PgExecutor<'_>,
    keys: &[EntityKey],
) -> Result<Vec<(EntityKey, EntityName, DateTime<Utc>)>> {
    let kinds: Vec<String> = keys
        .iter()
        .map(|key| key.kind.as_str().to_owned())
        .collect();
    let ids: Vec<i64> = keys.iter().map(|key| key.id).collect();
    let rows = sqlx::query!(
        r#"
        SELECT n.kind, n.id, n.name, n.ticker, n.updated_at
        FROM unnest($1::text[], $2::bigint[]) AS k (kind, id)
        JOIN names AS n ON n.id = k.id AND n.kind = k.kind
        "#,
        &kinds,
        &ids,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading names"))?;
    rows.into_iter()
        .map(|row| {
            let kind = EntityKind::from_word(&row.kind).ok_or_else(|| Error::BadRow {
                table: "names",
                column: "kind",
                key: row.id.to_string(),
            })?;
            let name = EntityName {
                name: row.name,
                ticker: row.ticker,
            };
            Ok((EntityKey { kind, id: row.id }, name, row.updated_at))
        })
        .collect()
}

/// Writes names. Where a key is named twice the last one counts. A ticker that is known stays where the new
/// name comes without one.
///
/// # Errors
/// When the database refuses.
pub async fn upsert(
    executor: impl PgExecutor<'_>,
    names: &[(EntityKey, EntityName)],
) -> Result<()> {
    let mut distinct: Vec<&(EntityKey, EntityName)> = names.iter().rev().collect();
    distinct.sort_by_key(|(key, _)| *key);
    distinct.dedup_by_key(|(key, _)| *key);
    let kinds: Vec<String> = distinct
        .iter()
        .map(|(key, _)| key.kind.as_str().to_owned())
        .collect();
    let ids: Vec<i64> = distinct.iter().map(|(key, _)| key.id).collect();
    let texts: Vec<String> = distinct
        .iter()
        .map(|(_, name)| storable(&name.name).into_owned())
        .collect();
    let tickers: Vec<Option<String>> = distinct
        .iter()
        .map(|(_, name)| {
            name.ticker
                .as_deref()
                .map(|ticker| storable(ticker).into_owned())
        })
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO names (kind, id, name, ticker)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
        ON CONFLICT (id, kind) DO UPDATE
        SET name = EXCLUDED.name, ticker = COALESCE(EXCLUDED.ticker, names.ticker), updated_at = now()
        "#,
        &kinds,
        &ids,
        &texts,
        &tickers as &[Option<String>],
    )
    .execute(executor)
    .await
    .map_err(Error::query("writing names"))?;
    Ok(())
}
