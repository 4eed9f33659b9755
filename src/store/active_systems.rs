//! Systems with recent kills.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};

/// A system with kills. Name and place are absent where the system is not in our table.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveSystem {
    /// The system.
    pub solar_system_id: i64,
    /// Its name.
    pub name: Option<String>,
    /// Its constellation.
    pub constellation_id: Option<i64>,
    /// The constellation's name.
    pub constellation_name: Option<String>,
    /// Its region.
    pub region_id: Option<i64>,
    /// The region's name.
    pub region_name: Option<String>,
    /// Security in full precision.
    pub security_status: Option<f64>,
    /// Kills since the moment asked for.
    pub kills: i64,
    /// What they were worth together, ISK; unknown values count as 0.
    pub total_value: f64,
    /// The last of them.
    pub last_kill_time: DateTime<Utc>,
}

/// Systems with kills at or after `since`, the busiest first.
///
/// # Errors
/// When the database refuses.
pub async fn since(
    executor: impl PgExecutor<'_>,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<ActiveSystem>> {
    sqlx::query_as!(
        ActiveSystem,
        r#"
        SELECT solar_system_id AS "solar_system_id!", name, constellation_id, constellation_name, region_id,
            region_name, security_status, kills AS "kills!", total_value AS "total_value!",
            last_kill_time AS "last_kill_time!"
        FROM active_systems($1)
        LIMIT $2
        "#,
        since,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading active systems"))
}
