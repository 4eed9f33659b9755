//! Solar systems with constellation and region.

use std::collections::BTreeMap;

use sqlx::PgExecutor;

use super::reference_data::Written;
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

/// Writes systems that are new or differ. Where one is named twice the last one counts. A known wormhole class
/// stays where none is given: not every origin has them.
///
/// # Errors
/// When the database refuses.
pub async fn upsert(executor: impl PgExecutor<'_>, systems: &[SolarSystem]) -> Result<Written> {
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
    sqlx::query_as!(
        Written,
        r#"
        WITH written AS (
            INSERT INTO solar_systems AS s (solar_system_id, name, constellation_id, constellation_name, region_id,
                region_name, security_status, wormhole_class)
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
                $7::double precision[], $8::bigint[])
            ON CONFLICT (solar_system_id) DO UPDATE
            SET name = EXCLUDED.name, constellation_id = EXCLUDED.constellation_id,
                constellation_name = EXCLUDED.constellation_name, region_id = EXCLUDED.region_id,
                region_name = EXCLUDED.region_name, security_status = EXCLUDED.security_status,
                wormhole_class = coalesce(EXCLUDED.wormhole_class, s.wormhole_class), updated_at = now()
            WHERE (s.name, s.constellation_id, s.constellation_name, s.region_id, s.region_name, s.security_status,
                    s.wormhole_class)
                IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.constellation_id, EXCLUDED.constellation_name,
                    EXCLUDED.region_id, EXCLUDED.region_name, EXCLUDED.security_status,
                    coalesce(EXCLUDED.wormhole_class, s.wormhole_class))
            RETURNING xmax = 0 AS is_new
        )
        SELECT count(*) FILTER (WHERE is_new) AS "new!", count(*) FILTER (WHERE NOT is_new) AS "changed!"
        FROM written
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
    .fetch_one(executor)
    .await
    .map_err(Error::query("writing solar systems"))
}
