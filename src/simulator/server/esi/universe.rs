//! What there is in the universe, by id.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::{Simulated, json as answer};
use crate::domain::ShipType;
use crate::simulator::catalog::{
    self, CONSTELLATIONS, FACTIONS, GROUPS, NPC_CORPORATIONS, SYSTEMS, population, reserve,
};

fn found(body: Option<Value>) -> Response {
    match body {
        Some(body) => answer(&body),
        None => super::error(StatusCode::NOT_FOUND, "Not found"),
    }
}

fn type_of(id: i64) -> Option<ShipType> {
    catalog::ship_types()
        .into_iter()
        .find(|it| it.type_id == id)
}

pub(super) async fn ship_type(Path(id): Path<i64>) -> Response {
    found(type_of(id).map(|it| {
        json!({
            "type_id": it.type_id,
            "name": it.name,
            "description": "",
            "group_id": it.group_id,
            "published": it.published,
        })
    }))
}

pub(super) async fn group(Path(id): Path<i64>) -> Response {
    let types: Vec<i64> = catalog::ship_types()
        .iter()
        .filter(|it| it.group_id == id)
        .map(|it| it.type_id)
        .collect();
    found(catalog::group(id).map(|(name, category)| {
        json!({
            "group_id": id,
            "name": name,
            "category_id": category,
            "published": true,
            "types": types,
        })
    }))
}

pub(super) async fn category(Path(id): Path<i64>) -> Response {
    let groups: Vec<i64> = GROUPS
        .iter()
        .filter(|(_, _, of)| *of == id)
        .map(|(group, ..)| *group)
        .collect();
    found(
        catalog::category(id).map(
            |name| json!({"category_id": id, "name": name, "published": true, "groups": groups}),
        ),
    )
}

pub(super) async fn system(Path(id): Path<i64>) -> Response {
    found(catalog::system(id).map(|it| {
        json!({
            "system_id": it.id,
            "name": it.name,
            "constellation_id": it.constellation_id,
            "security_status": it.security_status,
            "position": {"x": 0.0, "y": 0.0, "z": 0.0},
        })
    }))
}

pub(super) async fn constellation(Path(id): Path<i64>) -> Response {
    let systems: Vec<i64> = SYSTEMS
        .iter()
        .filter(|it| it.constellation_id == id)
        .map(|it| it.id)
        .collect();
    found(catalog::constellation(id).map(|(name, region)| {
        json!({
            "constellation_id": id,
            "name": name,
            "region_id": region,
            "systems": systems,
            "position": {"x": 0.0, "y": 0.0, "z": 0.0},
        })
    }))
}

pub(super) async fn region(Path(id): Path<i64>) -> Response {
    let constellations: Vec<i64> = CONSTELLATIONS
        .iter()
        .filter(|(_, _, region)| *region == id)
        .map(|(it, ..)| *it)
        .collect();
    found(
        catalog::region(id).map(
            |(name, _)| json!({"region_id": id, "name": name, "constellations": constellations}),
        ),
    )
}

pub(super) async fn corporation(Path(id): Path<i64>) -> Response {
    let npc = NPC_CORPORATIONS.iter().find(|(it, ..)| *it == id).map(
        |(_, name, faction)| json!({"name": name, "ticker": format!("NPC{}", id % 1_000), "faction_id": faction, "member_count": 0}),
    );
    let spare = reserve::corporation(id)
        .map(|it| json!({"name": it.name, "ticker": it.ticker, "member_count": 1}));
    found(npc.or(spare).or_else(|| {
        let it = population().corporation(id)?;
        let mut body = json!({
            "name": it.name,
            "ticker": it.ticker,
            "member_count": it.members.len(),
        });
        if let (Some(body), Some(alliance)) = (body.as_object_mut(), it.alliance_id) {
            body.insert("alliance_id".to_owned(), alliance.into());
        }
        Some(body)
    }))
}

pub(super) async fn alliance(Path(id): Path<i64>) -> Response {
    let known = population()
        .alliance(id)
        .map(|it| json!({"name": it.name, "ticker": it.ticker}));
    found(
        known.or_else(|| {
            reserve::alliance(id).map(|it| json!({"name": it.name, "ticker": it.ticker}))
        }),
    )
}

pub(super) async fn character(Path(id): Path<i64>) -> Response {
    found(population().pilot(id).map(|it| {
        json!({
            "name": it.name,
            "corporation_id": it.corporation_id,
            "security_status": it.security_status,
        })
    }))
}

pub(super) async fn status(State(shared): Simulated) -> Response {
    answer(&json!({
        "players": 24_512,
        "server_version": "2990001",
        "start_time": shared.clock().now().format("%Y-%m-%dT11:03:00Z").to_string(),
    }))
}

/// An entry of `/universe/names`.
pub(super) fn name(id: i64) -> Option<Value> {
    let people = population();
    let named =
        |name: &str, category: &str| Some(json!({"id": id, "name": name, "category": category}));
    if let Some(it) = people.pilot(id) {
        return named(&it.name, "character");
    }
    if let Some((it, category)) = reserve::name(id) {
        return named(&it, category);
    }
    if let Some(it) = people.corporation(id) {
        return named(&it.name, "corporation");
    }
    if let Some(it) = people.alliance(id) {
        return named(&it.name, "alliance");
    }
    if let Some((_, it, _)) = NPC_CORPORATIONS.iter().find(|(it, ..)| *it == id) {
        return named(it, "corporation");
    }
    if let Some((_, it)) = FACTIONS.iter().find(|(it, _)| *it == id) {
        return named(it, "faction");
    }
    if let Some(it) = catalog::system(id) {
        return named(it.name, "solar_system");
    }
    if let Some((it, _)) = catalog::constellation(id) {
        return named(it, "constellation");
    }
    if let Some((it, _)) = catalog::region(id) {
        return named(it, "region");
    }
    named(&type_of(id)?.name, "inventory_type")
}
