//! Types with group and category.

use std::collections::BTreeMap;

use sqlx::PgExecutor;

use super::reference_data::Written;
use super::text::storable;
use super::{Error, Result};
use crate::domain::ShipType;

/// The types of `ids` that are known.
///
/// # Errors
/// When the database refuses.
pub async fn load(executor: impl PgExecutor<'_>, ids: &[i64]) -> Result<Vec<ShipType>> {
    sqlx::query_as!(
        ShipType,
        r#"
        SELECT type_id, name, group_id, group_name, category_id, category_name, published
        FROM ship_types
        WHERE type_id = ANY($1)
        "#,
        ids,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading ship types"))
}

/// Writes types that are new or differ. Where one is named twice the last one counts.
///
/// # Errors
/// When the database refuses.
pub async fn upsert(executor: impl PgExecutor<'_>, types: &[ShipType]) -> Result<Written> {
    let distinct: BTreeMap<i64, &ShipType> = types.iter().map(|t| (t.type_id, t)).collect();
    let numbers = |field: fn(&ShipType) -> i64| -> Vec<i64> {
        distinct.values().copied().map(field).collect()
    };
    let texts = |field: fn(&ShipType) -> &str| -> Vec<String> {
        distinct
            .values()
            .map(|ship_type| storable(field(ship_type)).into_owned())
            .collect()
    };
    let published: Vec<bool> = distinct.values().map(|t| t.published).collect();
    sqlx::query_as!(
        Written,
        r#"
        WITH written AS (
            INSERT INTO ship_types AS t (type_id, name, group_id, group_name, category_id, category_name, published)
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[],
                $7::boolean[])
            ON CONFLICT (type_id) DO UPDATE
            SET name = EXCLUDED.name, group_id = EXCLUDED.group_id, group_name = EXCLUDED.group_name,
                category_id = EXCLUDED.category_id, category_name = EXCLUDED.category_name,
                published = EXCLUDED.published, updated_at = now()
            WHERE (t.name, t.group_id, t.group_name, t.category_id, t.category_name, t.published)
                IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.group_id, EXCLUDED.group_name, EXCLUDED.category_id,
                    EXCLUDED.category_name, EXCLUDED.published)
            RETURNING xmax = 0 AS is_new
        )
        SELECT count(*) FILTER (WHERE is_new) AS "new!", count(*) FILTER (WHERE NOT is_new) AS "changed!"
        FROM written
        "#,
        &numbers(|t| t.type_id),
        &texts(|t| &t.name),
        &numbers(|t| t.group_id),
        &texts(|t| &t.group_name),
        &numbers(|t| t.category_id),
        &texts(|t| &t.category_name),
        &published,
    )
    .fetch_one(executor)
    .await
    .map_err(Error::query("writing ship types"))
}
