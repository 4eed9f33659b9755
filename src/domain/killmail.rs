//! The killmail, as ESI and zKillboard describe it, before any name is added.

use chrono::{DateTime, Utc};

use super::ids::KillmailHash;

/// One killmail. Facts only; names, groups and places are added by
/// [`Enrichment`](super::names::Enrichment) when it is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Killmail {
    /// ESI's id, greater than 0.
    pub killmail_id: i64,
    /// Needed to fetch the body from ESI; raw ESI bodies come without it.
    pub hash: Option<KillmailHash>,
    /// When the ship was lost, UTC, whole seconds.
    pub killmail_time: DateTime<Utc>,
    /// Where, greater than 0; may be unknown to every static data export.
    pub solar_system_id: i64,
    /// The moon a starbase stood at.
    pub moon_id: Option<i64>,
    /// The war it belongs to; `None` where the source has none or 0.
    pub war_id: Option<i64>,
    /// Who or what was lost.
    pub victim: Victim,
    /// Everyone on the mail, in the source's order.
    pub attackers: Vec<Attacker>,
    /// zKillboard's own values and labels; absent from ESI and EVE Ref.
    pub zkb: Option<Zkb>,
}

/// Who or what was lost. Structures and NPCs have no character.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Victim {
    /// The pilot.
    pub character_id: Option<i64>,
    /// The pilot's or owner's corporation.
    pub corporation_id: Option<i64>,
    /// The corporation's alliance.
    pub alliance_id: Option<i64>,
    /// The militia or NPC faction.
    pub faction_id: Option<i64>,
    /// What was lost: a ship, structure, deployable, fighter …
    pub ship_type_id: Option<i64>,
    /// Damage taken in hit points; negative in some historic mails.
    pub damage_taken: i64,
    /// Metres from the system's sun; only since about 2015-11.
    pub position: Option<Position>,
    /// What was fitted and carried, in the source's order.
    pub items: Vec<Item>,
}

/// A place in a solar system, metres from its sun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Metres along x.
    pub x: f64,
    /// Metres along y.
    pub y: f64,
    /// Metres along z.
    pub z: f64,
}

/// One stack of items, fitted or carried; containers nest one level in practice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item {
    /// The item's type.
    pub item_type_id: i64,
    /// Where it was: slot, cargo, drone bay … (CCP's `invFlags`).
    pub flag: i64,
    /// 0 stackable, 1 single, 2 blueprint copy.
    pub singleton: i64,
    /// How many were destroyed.
    pub quantity_destroyed: Option<i64>,
    /// How many dropped.
    pub quantity_dropped: Option<i64>,
    /// What was inside.
    pub items: Vec<Item>,
}

/// One attacker. Only damage, final blow and security status are always there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attacker {
    /// The pilot; absent for NPCs and structures.
    pub character_id: Option<i64>,
    /// The corporation.
    pub corporation_id: Option<i64>,
    /// The alliance.
    pub alliance_id: Option<i64>,
    /// The militia or NPC faction.
    pub faction_id: Option<i64>,
    /// The attacker's ship.
    pub ship_type_id: Option<i64>,
    /// The weapon, or the ship again where no weapon was recorded.
    pub weapon_type_id: Option<i64>,
    /// Damage done in hit points; negative in some historic mails.
    pub damage_done: i64,
    /// True on the one who struck last; none or several are possible in old mails.
    pub final_blow: bool,
    /// The pilot's security status at the time, -10 to 10.
    pub security_status: f64,
}

/// zKillboard's block: ISK values (two decimals) and classifications. Any of it may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Zkb {
    /// Nearest celestial; 0 where unknown.
    pub location_id: Option<i64>,
    /// Hull and fitted modules, ISK.
    pub fitted_value: Option<f64>,
    /// What dropped, ISK.
    pub dropped_value: Option<f64>,
    /// What was destroyed, ISK.
    pub destroyed_value: Option<f64>,
    /// Dropped and destroyed, ISK.
    pub total_value: Option<f64>,
    /// What could have dropped, ISK; since 2026-06.
    pub total_droppable_value: Option<f64>,
    /// zKillboard's points.
    pub points: Option<i64>,
    /// Only NPCs took part.
    pub npc: Option<bool>,
    /// Exactly one player attacked.
    pub solo: Option<bool>,
    /// The final blow came from the victim's own corporation.
    pub awox: Option<bool>,
    /// Open vocabulary, such as `loc:nullsec` or `ganked`; `None` where the source has no list.
    pub labels: Option<Vec<String>>,
}
