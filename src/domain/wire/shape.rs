//! The shape of the documents, as schemas for those who generate clients. Nothing is made of these structs; a
//! test holds what is really sent against them.
//!
//! What is not known is absent, never null.

mod upstream;

pub use upstream::{EsiAttacker, EsiKillmail, EsiVictim, ZkillboardBlock};

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// One killmail with everything that is known of it: the canonical document.
///
/// What is not known is absent, never null.
#[derive(Debug, ToSchema)]
pub struct Killmail {
    /// The killmail's id, the same as ESI's and zKillboard's.
    #[schema(minimum = 1, examples(140_000_001))]
    pub killmail_id: i64,
    /// When it happened, UTC.
    #[schema(examples("2026-10-01T12:34:56Z"))]
    pub kill_time: DateTime<Utc>,
    /// The solar system, under the name that WandererKills gave it.
    #[schema(examples(30_000_142))]
    pub system_id: i64,
    /// The solar system; the same as `system_id`.
    #[schema(examples(30_000_142))]
    pub solar_system_id: i64,
    /// The system's name.
    #[schema(required = false, examples("Jita"))]
    pub solar_system_name: String,
    /// The system's constellation.
    #[schema(required = false)]
    pub constellation_id: i64,
    /// The constellation's name.
    #[schema(required = false)]
    pub constellation_name: String,
    /// The system's region.
    #[schema(required = false)]
    pub region_id: i64,
    /// The region's name.
    #[schema(required = false)]
    pub region_name: String,
    /// The system's security in full precision, -1 to 1.
    #[schema(required = false)]
    pub security_status: f64,
    /// The war it belongs to.
    #[schema(required = false)]
    pub war_id: i64,
    /// The moon it happened at, on killmails of old.
    #[schema(required = false)]
    pub moon_id: i64,
    /// How many attackers there are.
    pub attacker_count: u64,
    /// Who lost the ship or structure.
    pub victim: KillmailVictim,
    /// Everybody who took part, in the upstream's order.
    pub attackers: Vec<KillmailAttacker>,
    /// zKillboard's block; absent where nothing of it is known.
    #[schema(required = false)]
    pub zkb: KillmailZkb,
}

/// The one who lost the ship or structure.
#[derive(Debug, ToSchema)]
pub struct KillmailVictim {
    /// The participant.
    #[serde(flatten)]
    pub party: KillmailParty,
    /// Damage taken.
    pub damage_taken: i64,
    /// Where in the system.
    #[schema(required = false)]
    pub position: KillmailPosition,
    /// What was fitted and carried; only where the request asks for it (`include=items`).
    #[schema(required = false)]
    pub items: Vec<KillmailItem>,
}

/// One attacker.
#[derive(Debug, ToSchema)]
pub struct KillmailAttacker {
    /// The participant.
    #[serde(flatten)]
    pub party: KillmailParty,
    /// Type id of the weapon, or of the ship where the upstream names that.
    #[schema(required = false)]
    pub weapon_type_id: i64,
    /// The weapon's name.
    #[schema(required = false)]
    pub weapon_name: String,
    /// Damage done.
    pub damage_done: i64,
    /// True for the one with the final blow.
    pub final_blow: bool,
    /// The pilot's security status.
    pub security_status: f64,
}

/// Who, and in what ship. NPCs have no character, structures neither.
#[derive(Debug, ToSchema)]
pub struct KillmailParty {
    /// The pilot.
    #[schema(required = false)]
    pub character_id: i64,
    /// The pilot's name.
    #[schema(required = false)]
    pub character_name: String,
    /// The corporation.
    #[schema(required = false)]
    pub corporation_id: i64,
    /// The corporation's name.
    #[schema(required = false)]
    pub corporation_name: String,
    /// The corporation's ticker.
    #[schema(required = false)]
    pub corporation_ticker: String,
    /// Name and ticker as one object; only at `/api/v1/killmail/{id}`.
    #[schema(required = false)]
    pub corporation: KillmailAffiliation,
    /// The alliance.
    #[schema(required = false)]
    pub alliance_id: i64,
    /// The alliance's name.
    #[schema(required = false)]
    pub alliance_name: String,
    /// The alliance's ticker.
    #[schema(required = false)]
    pub alliance_ticker: String,
    /// Name and ticker as one object; only at `/api/v1/killmail/{id}`.
    #[schema(required = false)]
    pub alliance: KillmailAffiliation,
    /// The faction.
    #[schema(required = false)]
    pub faction_id: i64,
    /// The faction's name.
    #[schema(required = false)]
    pub faction_name: String,
    /// Type id of the ship or structure.
    #[schema(required = false)]
    pub ship_type_id: i64,
    /// The ship's name.
    #[schema(required = false)]
    pub ship_name: String,
    /// Group id of the ship.
    #[schema(required = false)]
    pub ship_group_id: i64,
    /// The group's name.
    #[schema(required = false)]
    pub ship_group_name: String,
}

/// Name and ticker of a corporation or alliance.
#[derive(Debug, ToSchema)]
pub struct KillmailAffiliation {
    /// Its name.
    #[schema(required = false)]
    pub name: String,
    /// Its ticker.
    #[schema(required = false)]
    pub ticker: String,
}

/// A place in a solar system, metres from its sun.
#[derive(Debug, ToSchema)]
pub struct KillmailPosition {
    /// East.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// North.
    pub z: f64,
}

/// One stack of items, in ESI's own words.
#[derive(Debug, ToSchema)]
pub struct KillmailItem {
    /// What it is.
    pub item_type_id: i64,
    /// The slot or hold it was in.
    pub flag: i64,
    /// 2 for a blueprint copy, otherwise 0 or 1.
    pub singleton: i64,
    /// How many were destroyed.
    #[schema(required = false)]
    pub quantity_destroyed: i64,
    /// How many were dropped.
    #[schema(required = false)]
    pub quantity_dropped: i64,
    /// What was in it.
    #[schema(required = false, no_recursion)]
    pub items: Vec<KillmailItem>,
}

/// zKillboard's block. Values are ISK.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KillmailZkb {
    /// The nearest celestial, or the station or structure.
    #[serde(rename = "locationID")]
    #[schema(required = false)]
    pub location_id: i64,
    /// ESI's hash of the killmail.
    #[schema(required = false, pattern = "^[0-9a-f]{40}$")]
    pub hash: String,
    /// Value of what was fitted.
    #[schema(required = false)]
    pub fitted_value: f64,
    /// Value of what was dropped.
    #[schema(required = false)]
    pub dropped_value: f64,
    /// Value of what was destroyed.
    #[schema(required = false)]
    pub destroyed_value: f64,
    /// The whole value.
    #[schema(required = false)]
    pub total_value: f64,
    /// Value of what could have been dropped.
    #[schema(required = false)]
    pub total_droppable_value: f64,
    /// zKillboard's points.
    #[schema(required = false)]
    pub points: i64,
    /// Only NPCs took part.
    #[schema(required = false)]
    pub npc: bool,
    /// One attacker alone.
    #[schema(required = false)]
    pub solo: bool,
    /// Killed by the victim's own people.
    #[schema(required = false)]
    pub awox: bool,
    /// zKillboard's labels.
    #[schema(required = false, examples(json!(["pvp", "loc:nullsec"])))]
    pub labels: Vec<String>,
}
