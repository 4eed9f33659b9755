//! Where names, types and places come from when the caches do not have them.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::domain::Enrichment;
use crate::domain::names::Wanted;
use crate::store::{self, Store, names, ship_types, systems};

/// A place to look things up, asked once for a whole batch. Sources that are asked after the database
/// (servers on the network) implement the same and bound their own time: what they do not know in time
/// is left out, and the killmail is stored as pending.
pub trait LookUp: Send + Sync + std::fmt::Debug {
    /// What is known of `wanted`; what is not known is left out.
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, store::Result<Enrichment>>;
}

/// Looks things up in our own tables.
#[derive(Debug, Clone)]
pub struct DatabaseLookUp {
    store: Store,
}

impl DatabaseLookUp {
    /// Looks up in the primary: what was written a moment ago must be found.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn find_all(&self, wanted: &Wanted) -> store::Result<Enrichment> {
        let mut found = Enrichment::default();
        let pool = &self.store.pool;
        if !wanted.entities.is_empty() {
            let rows = names::load(pool, &wanted.entities).await?;
            let named = rows.into_iter().map(|(key, name)| (key, Arc::new(name)));
            found.names.extend(named);
        }
        if !wanted.types.is_empty() {
            let rows = ship_types::load(pool, &wanted.types).await?;
            let typed = rows.into_iter().map(|row| (row.type_id, Arc::new(row)));
            found.ship_types.extend(typed);
        }
        if !wanted.solar_systems.is_empty() {
            let rows = systems::load(pool, &wanted.solar_systems).await?;
            let placed = rows
                .into_iter()
                .map(|row| (row.solar_system_id, Arc::new(row)));
            found.solar_systems.extend(placed);
        }
        Ok(found)
    }
}

impl LookUp for DatabaseLookUp {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, store::Result<Enrichment>> {
        Box::pin(self.find_all(wanted))
    }
}
