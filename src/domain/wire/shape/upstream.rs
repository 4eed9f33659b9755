//! The shapes of the upstreams' own documents.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

use super::{KillmailItem, KillmailPosition, KillmailZkb};

/// A killmail as ESI writes it, with items and without names.
#[derive(Debug, ToSchema)]
pub struct EsiKillmail {
    /// The killmail's id.
    pub killmail_id: i64,
    /// When it happened, UTC.
    pub killmail_time: DateTime<Utc>,
    /// The solar system.
    pub solar_system_id: i64,
    /// The moon it happened at.
    #[schema(required = false)]
    pub moon_id: i64,
    /// The war it belongs to.
    #[schema(required = false)]
    pub war_id: i64,
    /// Who lost the ship or structure.
    pub victim: EsiVictim,
    /// Everybody who took part.
    pub attackers: Vec<EsiAttacker>,
}

/// A victim as ESI writes it.
#[derive(Debug, ToSchema)]
pub struct EsiVictim {
    /// The pilot.
    #[schema(required = false)]
    pub character_id: i64,
    /// The corporation.
    #[schema(required = false)]
    pub corporation_id: i64,
    /// The alliance.
    #[schema(required = false)]
    pub alliance_id: i64,
    /// The faction.
    #[schema(required = false)]
    pub faction_id: i64,
    /// Type id of the ship or structure.
    #[schema(required = false)]
    pub ship_type_id: i64,
    /// Damage taken.
    pub damage_taken: i64,
    /// Where in the system.
    #[schema(required = false)]
    pub position: KillmailPosition,
    /// What was fitted and carried.
    pub items: Vec<KillmailItem>,
}

/// An attacker as ESI writes it.
#[derive(Debug, ToSchema)]
pub struct EsiAttacker {
    /// The pilot.
    #[schema(required = false)]
    pub character_id: i64,
    /// The corporation.
    #[schema(required = false)]
    pub corporation_id: i64,
    /// The alliance.
    #[schema(required = false)]
    pub alliance_id: i64,
    /// The faction.
    #[schema(required = false)]
    pub faction_id: i64,
    /// Type id of the ship.
    #[schema(required = false)]
    pub ship_type_id: i64,
    /// Type id of the weapon.
    #[schema(required = false)]
    pub weapon_type_id: i64,
    /// Damage done.
    pub damage_done: i64,
    /// True for the one with the final blow.
    pub final_blow: bool,
    /// The pilot's security status.
    pub security_status: f64,
}

/// zKillboard's block as its own interfaces write it.
#[derive(Debug, ToSchema)]
pub struct ZkillboardBlock {
    /// The block of the canonical document.
    #[serde(flatten)]
    pub block: KillmailZkb,
    /// How many attackers there are.
    #[serde(rename = "attackerCount")]
    pub attacker_count: u64,
    /// ESI's address of the killmail; absent without a hash.
    #[schema(required = false)]
    pub href: String,
}
