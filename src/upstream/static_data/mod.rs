//! The game's static data: CCP's export (a zip of JSON lines) and Fuzzwork's CSV tables.
//!
//! A file is loaded as a whole or refused with one sentence; what it is gets told from its content.

mod assemble;
mod client;
mod csv_table;
mod download;
mod error;
mod export;
mod files;
mod json_table;
mod kind;
mod open;
mod quotes;
mod rows;
#[cfg(test)]
mod tests;

pub use client::StaticDataClient;
pub use error::{Error, Result};
pub use files::read_files;

use crate::domain::{EntityKey, EntityName, ShipType, SolarSystem};

/// Everything that one origin had, joined and ready to be stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceData {
    /// Types with group and category, by id.
    pub ship_types: Vec<ShipType>,
    /// Systems with constellation and region, by id.
    pub solar_systems: Vec<SolarSystem>,
    /// Factions and NPC corporations.
    pub names: Vec<(EntityKey, EntityName)>,
    /// Build number or `ETag`, where the origin has one.
    pub version: Option<String>,
    /// The URL or files it came from.
    pub origin: String,
    /// What was read for it.
    pub read: RowsRead,
}

/// Rows of each table that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsRead {
    /// Types.
    pub ship_types: usize,
    /// Groups of types.
    pub groups: usize,
    /// Categories of groups.
    pub categories: usize,
    /// Solar systems.
    pub solar_systems: usize,
    /// Constellations.
    pub constellations: usize,
    /// Regions.
    pub regions: usize,
    /// Factions and NPC corporations.
    pub names: usize,
    /// Rows passed over: an id that is not positive, or the same row again.
    pub skipped: usize,
}
