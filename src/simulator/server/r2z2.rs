//! R2Z2: numbered documents, and the days' history.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::{Shared, Simulated, not_found};
use crate::simulator::render;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/ephemeral/sequence.json", get(sequence))
        .route("/ephemeral/{file}", get(document))
        .route("/history/totals.json", get(totals))
        .route("/history/{file}", get(hashes))
        .route("/history/raw/{file}", get(bodies))
}

async fn sequence(State(shared): Simulated) -> Response {
    let shown = shared.world().sequence_shown();
    super::json(&json!({ "sequence": shown }))
}

async fn document(State(shared): Simulated, Path(file): Path<String>) -> Response {
    let Some(sequence) = file.strip_suffix(".json").and_then(|it| it.parse().ok()) else {
        return not_found();
    };
    let document = shared.world().document(sequence);
    match document {
        Some(it) => super::json(&render::r2z2(
            &it.killmail,
            sequence,
            it.uploaded_at,
            it.updated,
        )),
        None => not_found(),
    }
}

/// `YYYYMMDD.json`, of a day that is over: today's file does not exist yet.
fn day(shared: &Shared, file: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(file.strip_suffix(".json")?, "%Y%m%d").ok()?;
    (day < shared.clock().now().date_naive()).then_some(day)
}

async fn totals(State(shared): Simulated) -> Response {
    let today = shared.clock().now().date_naive();
    let counts = shared.world().day_counts();
    let totals: Map<String, Value> = counts
        .into_iter()
        .filter(|(day, _)| *day < today)
        .map(|(day, count)| (day.format("%Y%m%d").to_string(), count.into()))
        .collect();
    history(&Value::Object(totals))
}

async fn hashes(State(shared): Simulated, Path(file): Path<String>) -> Response {
    let Some(day) = day(&shared, &file) else {
        return not_found();
    };
    let killmails = shared.world().day(day);
    if killmails.is_empty() {
        return not_found();
    }
    let entries = killmails
        .iter()
        .map(|it| (it.killmail_id.to_string(), render::hash(it).into()));
    history(&Value::Object(entries.collect()))
}

async fn bodies(State(shared): Simulated, Path(file): Path<String>) -> Response {
    let Some(day) = day(&shared, &file) else {
        return not_found();
    };
    let killmails = shared.world().day(day);
    if killmails.is_empty() {
        return not_found();
    }
    let entries = killmails
        .iter()
        .map(|it| (it.killmail_id.to_string(), render::esi(it)));
    history(&Value::Object(entries.collect()))
}

/// The real server claims that these files never change, although it rewrites them in place.
fn history(body: &Value) -> Response {
    let caching = [(CACHE_CONTROL, "public, max-age=31536000")];
    (caching, super::json(body)).into_response()
}
