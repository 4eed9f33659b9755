//! One filter for feed, streams, webhooks and queries.
//!
//! Each non-empty set is one interest and is looked at by itself: `characters` and `ship_types` together
//! ask for a killmail with such a pilot and with such a ship, not for such a pilot in such a ship.

mod facts;
mod lists;
mod matching;
mod query;
mod shape;
mod validate;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use facts::{Facts, Party};
pub use shape::{EntityId, KillmailLabel};

use super::SecurityBand;

/// How the interests (places, participants, ships) of a filter combine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchMode {
    /// Every non-empty interest must match (the default).
    #[default]
    All,
    /// One matching interest is enough: "in my systems, or with my pilots".
    Any,
}

/// In which part participants and ships are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Victim or attacker.
    #[default]
    Any,
    /// Only the victim.
    Victim,
    /// Only attackers.
    Attacker,
    /// Only the attacker with the final blow.
    FinalBlow,
}

/// What a reader wants to see. Empty sets and absent values do not restrict.
///
/// Ids of one set are alternatives. The sets up to `ship_groups` are the *interests*, combined as `match`
/// says; everything after them must hold as well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Solar system ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::systems")]
    pub systems: BTreeSet<i64>,
    /// Constellation ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::constellations")]
    pub constellations: BTreeSet<i64>,
    /// Region ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::regions")]
    pub regions: BTreeSet<i64>,
    /// Character ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::characters")]
    pub characters: BTreeSet<i64>,
    /// Corporation ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::corporations")]
    pub corporations: BTreeSet<i64>,
    /// Alliance ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::alliances")]
    pub alliances: BTreeSet<i64>,
    /// Faction ids.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::factions")]
    pub factions: BTreeSet<i64>,
    /// Type ids of the ships flown or lost.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::ship_types")]
    pub ship_types: BTreeSet<i64>,
    /// Group ids of the ships flown or lost.
    #[schema(value_type = Vec<EntityId>, max_items = 10_000)]
    #[param(value_type = Vec<EntityId>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::ship_groups")]
    pub ship_groups: BTreeSet<i64>,
    /// How the sets above combine.
    #[serde(rename = "match")]
    pub match_mode: MatchMode,
    /// Where participants and ships are looked for.
    pub role: Role,
    /// At least this total value, ISK.
    #[schema(minimum = 0)]
    #[param(minimum = 0, nullable = false)]
    pub min_value: Option<f64>,
    /// At most this total value, ISK.
    #[schema(minimum = 0)]
    #[param(minimum = 0, nullable = false)]
    pub max_value: Option<f64>,
    /// Only NPC kills, or none.
    #[param(nullable = false)]
    pub npc: Option<bool>,
    /// Only solo kills, or none.
    #[param(nullable = false)]
    pub solo: Option<bool>,
    /// Only awoxes, or none.
    #[param(nullable = false)]
    pub awox: Option<bool>,
    /// In one of these kinds of space.
    #[schema(value_type = Vec<SecurityBand>)]
    #[param(value_type = Vec<SecurityBand>, style = Form, explode = false, min_items = 1)]
    pub security: BTreeSet<SecurityBand>,
    /// Any of these labels.
    #[schema(value_type = Vec<KillmailLabel>, max_items = 10_000)]
    #[param(value_type = Vec<KillmailLabel>, style = Form, explode = false, min_items = 1, max_items = 10_000)]
    #[serde(deserialize_with = "lists::labels")]
    pub labels: BTreeSet<String>,
}

/// A filter that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value:?}, allowed is {allowed}")]
pub struct FilterError {
    /// The parameter's name.
    pub field: String,
    /// What it held, cut to 80 characters.
    pub value: String,
    /// What would have been accepted.
    pub allowed: String,
}

/// The most entries one set of a filter may hold: what WandererKills allows for the systems of one
/// subscription.
pub const MAX_IDS_PER_SET: usize = 10_000;
/// The longest label that is looked for, in bytes; zKillboard's own have under 20.
pub const MAX_LABEL_BYTES: usize = 100;

impl Filter {
    /// Reads a filter from query parameters. Sets take repeated keys (`systems=1&systems=2`),
    /// bracketed keys (`systems[]=1`) and comma lists (`systems=1,2`), under their own name or as
    /// `system_id` / `system_ids`; `match` is `all` or `any`, `role` is `any`, `victim`, `attacker` or
    /// `final_blow`; flags are `true`/`false`/`1`/`0`. Of a repeated single value the last one counts.
    ///
    /// Keys that are not a filter's are handed back untouched, in order.
    ///
    /// # Errors
    /// The first parameter that can't be understood, with what is allowed. A set that is named but empty
    /// is one: who filters by nothing at all would get everything.
    pub fn from_pairs(
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<(String, String)>), FilterError> {
        query::from_pairs(pairs)
    }

    /// Checks a filter that came as JSON: sizes of sets, ids > 0, finite values.
    ///
    /// # Errors
    /// The first field out of bounds.
    pub fn validate(&self) -> Result<(), FilterError> {
        validate::validate(self)
    }

    /// True when it lets everything through.
    pub fn is_everything(&self) -> bool {
        let unrestricted = Self {
            match_mode: self.match_mode,
            role: self.role,
            ..Self::default()
        };
        *self == unrestricted
    }

    /// True when the killmail with these facts is wanted.
    pub fn matches(&self, facts: &Facts) -> bool {
        matching::matches(self, facts)
    }

    /// The sets of ids with their names, places first.
    pub fn id_sets(&self) -> [(&'static str, &BTreeSet<i64>); 9] {
        [
            ("systems", &self.systems),
            ("constellations", &self.constellations),
            ("regions", &self.regions),
            ("characters", &self.characters),
            ("corporations", &self.corporations),
            ("alliances", &self.alliances),
            ("factions", &self.factions),
            ("ship_types", &self.ship_types),
            ("ship_groups", &self.ship_groups),
        ]
    }
}

impl FilterError {
    fn new(field: &str, value: &str, allowed: impl Into<String>) -> Self {
        Self {
            field: field.chars().take(80).collect(),
            value: value.chars().take(80).collect(),
            allowed: allowed.into(),
        }
    }
}

#[cfg(test)]
mod tests;
