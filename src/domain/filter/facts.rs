//! What filters look at.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What a filter needs to know of a killmail. Read from the canonical document.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// ESI's id.
    pub killmail_id: i64,
    /// When.
    pub killmail_time: DateTime<Utc>,
    /// Where.
    pub solar_system_id: i64,
    /// Its constellation, where known.
    pub constellation_id: Option<i64>,
    /// Its region, where known.
    pub region_id: Option<i64>,
    /// The system's security in full precision, where known.
    pub security_status: Option<f64>,
    /// Who lost what.
    pub victim: Party,
    /// Everyone else.
    pub attackers: Vec<Party>,
    /// Total value, ISK.
    pub total_value: Option<f64>,
    /// zKillboard's flag.
    pub npc: Option<bool>,
    /// zKillboard's flag.
    pub solo: Option<bool>,
    /// zKillboard's flag.
    pub awox: Option<bool>,
    /// zKillboard's labels.
    pub labels: Vec<String>,
}

/// One participant, by ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Party {
    /// The pilot.
    pub character_id: Option<i64>,
    /// The corporation.
    pub corporation_id: Option<i64>,
    /// The alliance.
    pub alliance_id: Option<i64>,
    /// The faction.
    pub faction_id: Option<i64>,
    /// The ship flown or lost.
    pub ship_type_id: Option<i64>,
    /// The ship's group, where known.
    pub ship_group_id: Option<i64>,
    /// Whether this one struck last.
    pub final_blow: bool,
}

impl Facts {
    /// Reads the facts from a canonical document (see [`wire::document`](crate::domain::wire::document())).
    ///
    /// # Errors
    /// When the text is not such a document.
    pub fn from_document(document: &str) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_str(document)?;
        let zkb = document.zkb.unwrap_or_default();
        Ok(Self {
            killmail_id: document.killmail_id,
            killmail_time: document.kill_time,
            solar_system_id: document.solar_system_id,
            constellation_id: document.constellation_id,
            region_id: document.region_id,
            security_status: document.security_status,
            victim: document.victim,
            attackers: document.attackers,
            total_value: zkb.total_value,
            npc: zkb.npc,
            solo: zkb.solo,
            awox: zkb.awox,
            labels: zkb.labels.unwrap_or_default(),
        })
    }
}

/// The part of the canonical document that holds facts.
#[derive(Deserialize)]
struct Document {
    killmail_id: i64,
    kill_time: DateTime<Utc>,
    solar_system_id: i64,
    constellation_id: Option<i64>,
    region_id: Option<i64>,
    security_status: Option<f64>,
    victim: Party,
    attackers: Vec<Party>,
    zkb: Option<Values>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Values {
    total_value: Option<f64>,
    npc: Option<bool>,
    solo: Option<bool>,
    awox: Option<bool>,
    labels: Option<Vec<String>>,
}
