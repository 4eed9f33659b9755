//! Who and what an id is, as ESI tells it.

use std::time::Duration;

use crate::upstream::http;

/// Why ESI did not say.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EsiError {
    /// Not asked, or told to come back later: a budget is used up, the daily downtime, a host that fails.
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
        #[from]
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
#[derive(Debug, Clone, Default)]
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
