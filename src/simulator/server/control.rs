//! Steering by HTTP, for people who run the simulator alone.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::{Shared, Simulated, parameter};
use crate::simulator::fault::FaultRule;

/// The most killmails published by one request.
const MAX_PUBLISH: usize = 10_000;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/status", get(status))
        .route("/faults", post(add_fault).get(faults).delete(clear_faults))
        .route("/publish", post(publish))
}

async fn status(State(shared): Simulated) -> Response {
    let world = shared.world();
    let (next, shown, kept) = (world.next_sequence(), world.sequence_shown(), world.kept());
    drop(world);
    super::json(&json!({
        "seed": shared.config.seed,
        "rate_per_second": shared.config.rate_per_second,
        "next_sequence": next,
        "sequence_shown": shown,
        "killmails": kept,
        "requests": shared.journal().count("/"),
        "violations": shared.r2z2().violations(),
        "faults": shared.faults().rules(),
    }))
}

async fn faults(State(shared): Simulated) -> Response {
    Json(shared.faults().rules()).into_response()
}

async fn add_fault(State(shared): Simulated, Json(rule): Json<FaultRule>) -> Response {
    shared.faults().add(rule);
    StatusCode::NO_CONTENT.into_response()
}

async fn clear_faults(State(shared): Simulated) -> Response {
    shared.faults().clear();
    StatusCode::NO_CONTENT.into_response()
}

/// `?count=` killmails, 1 where it is left out.
async fn publish(State(shared): Simulated, RawQuery(query): RawQuery) -> Response {
    let count = parameter(query.as_deref(), "count").map_or(Ok(1), |it| it.parse::<usize>());
    if let Ok(count @ 1..=MAX_PUBLISH) = count {
        return Json(shared.publish(count)).into_response();
    }
    let text = format!("count is a number from 1 to {MAX_PUBLISH}");
    super::json_status(StatusCode::BAD_REQUEST, &json!({ "error": text }))
}
