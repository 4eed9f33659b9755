use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use serde::Deserialize;

use super::client::EsiClient;
use super::directory::EsiError;
use super::operation::Operation;
use super::wire::clean;
use crate::domain::{ShipType, SolarSystem};
use crate::upstream::http;

/// What types and systems are filed under changes with a downtime at most.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);
/// More than there are: 1600 groups, 50 categories, 1200 constellations, 120 regions.
const REMEMBERED: u64 = 4_096;

#[derive(Deserialize)]
struct Type {
    name: String,
    group_id: i64,
    #[serde(default)]
    published: bool,
}

#[derive(Deserialize)]
struct System {
    name: String,
    constellation_id: i64,
    security_status: f64,
}

/// Group, category, constellation or region: a name, and what it belongs to.
#[derive(Debug, Deserialize)]
struct Shelf {
    name: String,
    #[serde(alias = "category_id", alias = "region_id", default)]
    parent: Option<i64>,
}

/// Remembers what many types or systems are filed under.
#[derive(Debug, Clone)]
pub(super) struct Shelves {
    known: Cache<(Operation, i64), Arc<Shelf>>,
}

impl Shelves {
    pub(super) fn new() -> Self {
        Self {
            known: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(REMEMBERED_FOR)
                .build(),
        }
    }
}

impl EsiClient {
    /// A type with its group and category; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn ship_type(&self, id: i64) -> Result<Option<ShipType>, EsiError> {
        let found: Option<Type> = self.get(Operation::Type, id).await?;
        let Some(it) = found else {
            return Ok(None);
        };
        let group = self.shelf(Operation::Group, it.group_id).await?;
        let category_id = parent(&group, Operation::Group, it.group_id)?;
        let category = self.shelf(Operation::Category, category_id).await?;
        Ok(Some(ShipType {
            type_id: id,
            name: clean(&it.name),
            group_id: it.group_id,
            group_name: clean(&group.name),
            category_id,
            category_name: clean(&category.name),
            published: it.published,
        }))
    }

    /// A system with its constellation and region; `None` where there is none. ESI knows no wormhole classes.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn solar_system(&self, id: i64) -> Result<Option<SolarSystem>, EsiError> {
        let found: Option<System> = self.get(Operation::System, id).await?;
        let Some(it) = found else {
            return Ok(None);
        };
        let constellation_id = it.constellation_id;
        let constellation = self
            .shelf(Operation::Constellation, constellation_id)
            .await?;
        let region_id = parent(&constellation, Operation::Constellation, constellation_id)?;
        let region = self.shelf(Operation::Region, region_id).await?;
        Ok(Some(SolarSystem {
            solar_system_id: id,
            name: clean(&it.name),
            constellation_id,
            constellation_name: clean(&constellation.name),
            region_id,
            region_name: clean(&region.name),
            security_status: it.security_status,
            wormhole_class: None,
        }))
    }

    async fn shelf(&self, operation: Operation, id: i64) -> Result<Arc<Shelf>, EsiError> {
        if let Some(known) = self.shelves.known.get(&(operation, id)).await {
            return Ok(known);
        }
        let found: Option<Shelf> = self.get(operation, id).await?;
        let found = Arc::new(found.ok_or_else(|| missing(operation, id, "there is none"))?);
        self.shelves
            .known
            .insert((operation, id), Arc::clone(&found))
            .await;
        Ok(found)
    }
}

fn parent(shelf: &Shelf, operation: Operation, id: i64) -> Result<i64, EsiError> {
    shelf
        .parent
        .ok_or_else(|| missing(operation, id, "it belongs to nothing"))
}

fn missing(operation: Operation, id: i64, reason: &str) -> EsiError {
    let source = http::Error::Unreadable {
        at: operation.path(id),
        reason: reason.to_owned(),
    };
    EsiError::Failed { source }
}
