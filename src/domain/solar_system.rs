//! Solar systems and where they lie.

/// One solar system with constellation and region.
#[derive(Debug, Clone, PartialEq)]
pub struct SolarSystem {
    /// The system's id.
    pub solar_system_id: i64,
    /// Its name.
    pub name: String,
    /// Its constellation.
    pub constellation_id: i64,
    /// The constellation's name.
    pub constellation_name: String,
    /// Its region.
    pub region_id: i64,
    /// The region's name.
    pub region_name: String,
    /// Security status in full precision, -1 to 1; the game shows it rounded.
    pub security_status: f64,
    /// Wormhole class, where it has one.
    pub wormhole_class: Option<i64>,
}
