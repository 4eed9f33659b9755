//! ESI: killmails by hash, names, and the universe.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::watch::played;
use super::{Shared, Simulated};
use crate::simulator::fault::Fault;
use crate::simulator::render;

mod budget;
mod universe;

pub(super) use budget::Budget;
use budget::Verdict;

/// The most ids in one batch of names.
const MAX_NAMES: usize = 1_000;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/killmails/{id}/{hash}", get(killmail))
        .route("/killmails/{id}/{hash}/", get(killmail))
        .route("/universe/names", post(names))
        .route("/universe/names/", post(names))
        .route("/universe/types/{id}", get(universe::ship_type))
        .route("/universe/groups/{id}", get(universe::group))
        .route("/universe/categories/{id}", get(universe::category))
        .route("/universe/systems/{id}", get(universe::system))
        .route(
            "/universe/constellations/{id}",
            get(universe::constellation),
        )
        .route("/universe/regions/{id}", get(universe::region))
        .route("/corporations/{id}", get(universe::corporation))
        .route("/alliances/{id}", get(universe::alliance))
        .route("/characters/{id}", get(universe::character))
        .route("/status", get(universe::status))
}

/// Charges every request to ESI, and refuses it where the budget is spent. The answers of
/// faults are charged as any other.
pub(super) async fn charge(
    shared: &Shared,
    request: Request,
    next: Next,
    fault: Option<Fault>,
) -> Response {
    let headless = matches!(fault, Some(Fault::TooManyRequests { .. }));
    let killmails = request.uri().path().starts_with("/esi/killmails/");
    let verdict = super::lock(&shared.esi).admit(killmails, shared.clock().monotonic());
    let mut response = match verdict {
        Verdict::Go => played(fault, shared, request, next).await,
        Verdict::Spent(seconds) => {
            let body = json!({"error": "rate limit exceeded"});
            let mut response = super::json_status(StatusCode::TOO_MANY_REQUESTS, &body);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            response
        }
        Verdict::ErrorLimited => {
            let status = StatusCode::from_u16(420).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
            let text = "This software has exceeded the error limit for ESI.";
            super::json_status(status, &json!({ "error": text }))
        }
    };
    let status = response.status().as_u16();
    let now = shared.clock().monotonic();
    let headers = super::lock(&shared.esi).charge(killmails, status, now);
    for (name, value) in headers.into_iter().filter(|_| !headless) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    response
}

fn error(status: StatusCode, text: &str) -> Response {
    super::json_status(status, &json!({ "error": text }))
}

async fn killmail(State(shared): Simulated, Path((id, hash)): Path<(i64, String)>) -> Response {
    let found = shared.world().killmail(id);
    match found.filter(|it| render::hash(it) == hash) {
        Some(it) => {
            let caching = [
                (header::CACHE_CONTROL, "public, max-age=2592000".to_owned()),
                (header::ETAG, format!("\"{hash}\"")),
            ];
            (caching, super::json(&render::esi(&it))).into_response()
        }
        None => error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid killmail_id and/or killmail_hash",
        ),
    }
}

/// One id that can't be resolved fails the whole batch.
async fn names(State(_): Simulated, body: Bytes) -> Response {
    let Ok(ids) = serde_json::from_slice::<Vec<i64>>(&body) else {
        return error(StatusCode::BAD_REQUEST, "the body is an array of ids");
    };
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    if ids.is_empty() || ids.len() > MAX_NAMES || distinct.len() != ids.len() {
        return error(StatusCode::BAD_REQUEST, "1 to 1000 distinct ids");
    }
    let rows: Option<Vec<Value>> = ids.iter().map(|id| universe::name(*id)).collect();
    match rows {
        Some(rows) => super::json(&Value::Array(rows)),
        None => error(
            StatusCode::NOT_FOUND,
            "Ensure all IDs are valid before resolving.",
        ),
    }
}
