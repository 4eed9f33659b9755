//! Solar systems with constellation and region.

use std::collections::BTreeMap;

use sqlx::PgExecutor;

use super::text::storable;
use super::{Error, Result};
use crate::domain::SolarSystem;

/// The systems of `ids` that are known.
///
/// # Errors
/// When the database refuses.
pub async fn load(executor: impl PgExecutor<'_>, ids: &[i64]) -> Result<Vec<SolarSystem>> {
    sqlx::query_as!(
        SolarSystem,
        r#"
        SELECT solar_system_id, name, constellation_id, constellation_name, region_id, region_name,
            security_status, wormhole_class
        FROM solar_systems
        WHERE solar_system_id = ANY($1)
        "#,
        ids,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading solar systems"))
}

/// Writes systems. Where one is named twice the last one counts.
///
/// # Errors
/// When the database refuses.
pub async fn upsert(executor: impl PgExecutor<'_>, systems: &[SolarSystem]) -> Result<()> {
    let distinct: BTreeMap<i64, &SolarSystem> =
        systems.iter().map(|s| (s.solar_system_id, s)).collect();
    let numbers = |field: fn(&SolarSystem) -> i64| -> Vec<i64> {
        distinct.values().copied().map(field).collect()
    };
    let texts = |field: fn(&SolarSystem) -> &str| -> Vec<String> {
        distinct
            .values()
            .map(|system| storable(field(system)).into_owned())
            .collect()
    };
    let security: Vec<f64> = distinct.values().map(|s| s.security_status).collect();
    let classes: Vec<Option<i64>> = distinct.values().map(|s| s.wormhole_class).collect();
    sqlx::query!(
        r#"
        INSERT INTO solar_systems (solar_system_id, name, constellation_id, constellation_name, region_id,
            region_name, security_status, wormhole_class)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
            $7::double precision[], $8::bigint[])
        ON CONFLICT (solar_system_id) DO UPDATE
        SET name = EXCLUDED.name, constellation_id = EXCLUDED.constellation_id,
            constellation_name = EXCLUDED.constellation_name, region_id = EXCLUDED.region_id,
            region_name = EXCLUDED.region_name, security_status = EXCLUDED.security_status,
            wormhole_class = EXCLUDED.wormhole_class, updated_at = now()
        "#,
        &numbers(|s| s.solar_system_id),
        &texts(|s| &s.name),
        &numbers(|s| s.constellation_id),
        &texts(|s| &s.constellation_name),
        &numbers(|s| s.region_id),
        &texts(|s| &s.region_name),
        &security,
        &classes as &[Option<i64>],
    )
    .execute(executor)
    .await
    .map_err(Error::query("writing solar systems"))?;
    Ok(())
}
