//! Where ship types, solar systems and fixed names were loaded from, and when.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::text::storable;
use super::{Error, Result};
use crate::domain::{EntityKey, EntityName};

/// One load at a time; the number means nothing.
const LOCK: i64 = 0x7265_6665_7265;

/// A table of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceTable {
    /// Types.
    ShipTypes,
    /// Solar systems.
    SolarSystems,
    /// Factions and NPC corporations.
    Names,
}

impl ReferenceTable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ShipTypes, Self::SolarSystems, Self::Names];

    /// The word used in storage and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ShipTypes => "ship_types",
            Self::SolarSystems => "solar_systems",
            Self::Names => "names",
        }
    }
}

/// Rows that a write changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that were not there.
    pub new: i64,
    /// Rows that said something else.
    pub changed: i64,
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
    }
}

/// What a table was loaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastLoad {
    /// The table's word.
    pub subject: String,
    /// The URL or files.
    pub origin: String,
    /// Build number or `ETag`.
    pub version: Option<String>,
    /// Rows that it had.
    pub row_count: i64,
    /// When its origin was last asked for a newer one.
    pub checked_at: DateTime<Utc>,
}

/// Lets other loads wait until this transaction ends.
///
/// # Errors
/// When the database refuses.
pub async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK)
        .execute(conn)
        .await
        .map_err(Error::query("waiting for other loads of reference data"))?;
    Ok(())
}

/// The last load of each table, at most three rows.
///
/// # Errors
/// When the database refuses.
pub async fn last_loads(executor: impl PgExecutor<'_>) -> Result<Vec<LastLoad>> {
    sqlx::query_as!(
        LastLoad,
        "SELECT subject, origin, version, row_count, checked_at FROM reference_data ORDER BY subject",
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading the last loads"))
}

/// Remembers a load.
///
/// # Errors
/// When the database refuses.
pub async fn record(executor: impl PgExecutor<'_>, load: &LastLoad) -> Result<()> {
    let origin = storable(&load.origin);
    let version = load.version.as_deref().map(storable);
    sqlx::query!(
        r#"
        INSERT INTO reference_data (subject, origin, version, row_count, loaded_at, checked_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (subject) DO UPDATE
        SET origin = EXCLUDED.origin, version = EXCLUDED.version, row_count = EXCLUDED.row_count,
            loaded_at = EXCLUDED.loaded_at, checked_at = EXCLUDED.checked_at
        "#,
        load.subject,
        origin.as_ref(),
        version.as_deref(),
        load.row_count,
        load.checked_at,
    )
    .execute(executor)
    .await
    .map_err(Error::query("remembering a load"))?;
    Ok(())
}

/// Remembers that `origin` is asked now.
///
/// # Errors
/// When the database refuses.
pub async fn record_check(
    executor: impl PgExecutor<'_>,
    origin: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE reference_data SET checked_at = $2 WHERE origin = $1",
        origin,
        now,
    )
    .execute(executor)
    .await
    .map_err(Error::query("remembering a check"))?;
    Ok(())
}

/// Writes names that are new or differ. A known ticker stays where none is given.
///
/// # Errors
/// When the database refuses.
pub async fn upsert_names(
    executor: impl PgExecutor<'_>,
    names: &[(EntityKey, EntityName)],
) -> Result<Written> {
    let distinct: BTreeMap<EntityKey, &EntityName> =
        names.iter().map(|(key, name)| (*key, name)).collect();
    let kinds: Vec<String> = distinct
        .keys()
        .map(|key| key.kind.as_str().to_owned())
        .collect();
    let ids: Vec<i64> = distinct.keys().map(|key| key.id).collect();
    let texts: Vec<String> = distinct
        .values()
        .map(|name| storable(&name.name).into_owned())
        .collect();
    let tickers: Vec<Option<String>> = distinct
        .values()
        .map(|name| Some(storable(name.ticker.as_deref()?).into_owned()))
        .collect();
    sqlx::query_as!(
        Written,
        r#"
        WITH written AS (
            INSERT INTO names AS n (kind, id, name, ticker)
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
            ON CONFLICT (id, kind) DO UPDATE
            SET name = EXCLUDED.name, ticker = coalesce(EXCLUDED.ticker, n.ticker), updated_at = now()
            WHERE (n.name, n.ticker) IS DISTINCT FROM (EXCLUDED.name, coalesce(EXCLUDED.ticker, n.ticker))
            RETURNING xmax = 0 AS is_new
        )
        SELECT count(*) FILTER (WHERE is_new) AS "new!", count(*) FILTER (WHERE NOT is_new) AS "changed!"
        FROM written
        "#,
        &kinds,
        &ids,
        &texts,
        &tickers as &[Option<String>],
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("writing fixed names"))
}
