use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::events::RowsStored;
use crate::domain::names::Subject;
use crate::store::reference_data::{self, LastLoad, ReferenceTable, Written};
use crate::store::{Error, Result, Store, ship_types, systems, unresolved};
use crate::upstream::static_data::{ReferenceData, RowsRead};

/// A table with fewer rows than this share of its last load is taken for a truncated one. Nothing is ever
/// taken out of the game's static data in such numbers.
pub const LEAST_PERCENT: i64 = 90;

/// Rows in one statement: a few hundred kilobytes.
const CHUNK: usize = 5_000;

/// What became of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Rows that were read.
    pub read: RowsRead,
    /// Each table that the origin had.
    pub tables: Vec<Loaded>,
}

/// What became of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Which.
    pub table: ReferenceTable,
    /// Rows that it would have.
    pub rows: i64,
    /// What was done.
    pub outcome: Outcome,
}

/// What was done with one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its rows are stored; so many were new or changed.
    Stored(Written),
    /// The stored table was kept.
    Refused {
        /// Rows of its last load.
        stored: i64,
    },
}

impl Report {
    /// One sentence for each table that was refused.
    pub fn refusals(&self) -> Vec<String> {
        self.tables
            .iter()
            .filter_map(|loaded| {
                let Outcome::Refused { stored } = loaded.outcome else {
                    return None;
                };
                Some(format!(
                    "{} was refused: it has {} rows, the last load had {stored}, and less than {LEAST_PERCENT} % of \
                     that is taken for a truncated file (--force loads it all the same)",
                    loaded.table.as_str(),
                    loaded.rows
                ))
            })
            .collect()
    }
}

/// Stores reference data in one transaction. A repeat writes nothing; rows that the data does not have stay. A
/// table that has shrunk is refused unless `force` is set, and the others are loaded.
///
/// # Errors
/// When the database fails; nothing is stored then.
pub async fn load(
    store: &Store,
    data: &ReferenceData,
    force: bool,
    now: DateTime<Utc>,
) -> Result<Report> {
    let mut transaction = store
        .pool
        .begin()
        .await
        .map_err(failed("opening a transaction"))?;
    reference_data::lock(&mut transaction).await?;
    let last = reference_data::last_loads(&mut *transaction).await?;
    let mut tables = Vec::new();
    for table in ReferenceTable::ALL {
        let rows = rows(table, data);
        if rows == 0 {
            continue;
        }
        let stored = last
            .iter()
            .find(|load| load.subject == table.as_str())
            .map_or(0, |load| load.row_count);
        let shrunken = i128::from(rows) * 100 < i128::from(stored) * i128::from(LEAST_PERCENT);
        let outcome = if shrunken && !force {
            Outcome::Refused { stored }
        } else {
            let written = write(&mut transaction, table, data).await?;
            let load = LastLoad {
                subject: table.as_str().to_owned(),
                origin: data.origin.clone(),
                version: data.version.clone(),
                row_count: rows,
                checked_at: now,
            };
            reference_data::record(&mut *transaction, &load).await?;
            Outcome::Stored(written)
        };
        tables.push(Loaded {
            table,
            rows,
            outcome,
        });
    }
    transaction
        .commit()
        .await
        .map_err(failed("committing reference data"))?;
    for loaded in &tables {
        RowsStored { loaded }.emit();
    }
    Ok(Report {
        read: data.read,
        tables,
    })
}

fn failed(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Query { operation, source }
}

fn rows(table: ReferenceTable, data: &ReferenceData) -> i64 {
    let rows = match table {
        ReferenceTable::ShipTypes => data.ship_types.len(),
        ReferenceTable::SolarSystems => data.solar_systems.len(),
        ReferenceTable::Names => data.names.len(),
    };
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Writes one table, in the order of ids as every writer does, and forgets that its ids were unknown.
async fn write(
    conn: &mut PgConnection,
    table: ReferenceTable,
    data: &ReferenceData,
) -> Result<Written> {
    let mut written = Written::default();
    match table {
        ReferenceTable::ShipTypes => {
            for chunk in data.ship_types.chunks(CHUNK) {
                written += ship_types::upsert(&mut *conn, chunk).await?;
                let known = chunk.iter().map(|it| Subject::ShipType(it.type_id));
                unresolved::forget(&mut *conn, &known.collect::<Vec<_>>()).await?;
            }
        }
        ReferenceTable::SolarSystems => {
            for chunk in data.solar_systems.chunks(CHUNK) {
                written += systems::upsert(&mut *conn, chunk).await?;
                let known = chunk
                    .iter()
                    .map(|it| Subject::SolarSystem(it.solar_system_id));
                unresolved::forget(&mut *conn, &known.collect::<Vec<_>>()).await?;
            }
        }
        ReferenceTable::Names => {
            for chunk in data.names.chunks(CHUNK) {
                written += reference_data::upsert_names(&mut *conn, chunk).await?;
                let known = chunk.iter().map(|(key, _)| Subject::Entity(*key));
                unresolved::forget(&mut *conn, &known.collect::<Vec<_>>()).await?;
            }
        }
    }
    Ok(written)
}
