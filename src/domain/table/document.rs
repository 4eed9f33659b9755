//! What the tables take of a document and its items.

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Document<'d> {
    pub(super) killmail_id: i64,
    #[serde(borrow)]
    pub(super) kill_time: Cow<'d, str>,
    pub(super) solar_system_id: i64,
    pub(super) solar_system_name: Option<Cow<'d, str>>,
    pub(super) constellation_id: Option<i64>,
    pub(super) constellation_name: Option<Cow<'d, str>>,
    pub(super) region_id: Option<i64>,
    pub(super) region_name: Option<Cow<'d, str>>,
    pub(super) security_status: Option<f64>,
    pub(super) war_id: Option<i64>,
    pub(super) attacker_count: i64,
    pub(super) victim: Party<'d>,
    pub(super) attackers: Vec<Party<'d>>,
    #[serde(default)]
    pub(super) zkb: Zkb<'d>,
}

/// A victim or an attacker.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Party<'d> {
    pub(super) character_id: Option<i64>,
    #[serde(borrow)]
    pub(super) character_name: Option<Cow<'d, str>>,
    pub(super) corporation_id: Option<i64>,
    pub(super) corporation_name: Option<Cow<'d, str>>,
    pub(super) alliance_id: Option<i64>,
    pub(super) alliance_name: Option<Cow<'d, str>>,
    pub(super) faction_id: Option<i64>,
    pub(super) faction_name: Option<Cow<'d, str>>,
    pub(super) ship_type_id: Option<i64>,
    pub(super) ship_name: Option<Cow<'d, str>>,
    pub(super) ship_group_id: Option<i64>,
    pub(super) ship_group_name: Option<Cow<'d, str>>,
    pub(super) damage_taken: Option<i64>,
    pub(super) weapon_type_id: Option<i64>,
    pub(super) weapon_name: Option<Cow<'d, str>>,
    pub(super) damage_done: Option<i64>,
    pub(super) security_status: Option<f64>,
    pub(super) final_blow: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Zkb<'d> {
    pub(super) total_value: Option<f64>,
    pub(super) fitted_value: Option<f64>,
    pub(super) dropped_value: Option<f64>,
    pub(super) destroyed_value: Option<f64>,
    pub(super) points: Option<i64>,
    pub(super) npc: Option<bool>,
    pub(super) solo: Option<bool>,
    pub(super) awox: Option<bool>,
    #[serde(borrow)]
    pub(super) labels: Vec<Cow<'d, str>>,
    pub(super) hash: Option<Cow<'d, str>>,
}

/// A stack of items.
#[derive(Deserialize)]
pub(super) struct Stack {
    pub(super) item_type_id: i64,
    pub(super) flag: i64,
    pub(super) singleton: i64,
    pub(super) quantity_dropped: Option<i64>,
    pub(super) quantity_destroyed: Option<i64>,
    #[serde(default)]
    pub(super) items: Vec<Stack>,
}
