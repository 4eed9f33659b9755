//! Types: every ship, structure, module and charge, with group and category.

/// The category of ships proper; killmails also have structures, deployables, fighters …
pub const CATEGORY_SHIP: i64 = 6;

/// One type of the game's static data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipType {
    /// The type's id.
    pub type_id: i64,
    /// Its English name.
    pub name: String,
    /// Its group.
    pub group_id: i64,
    /// The group's English name.
    pub group_name: String,
    /// The group's category.
    pub category_id: i64,
    /// The category's English name.
    pub category_name: String,
    /// Whether players can own it.
    pub published: bool,
}

impl ShipType {
    /// True for ships, false for structures, modules and the rest.
    pub fn is_ship(&self) -> bool {
        self.category_id == CATEGORY_SHIP
    }
}
