//! R2Z2: numbered documents, and the days' history.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;

use super::days::{self, Day};
use super::{Shared, Simulated, not_found};
use crate::domain::Killmail;
use crate::simulator::archives::HistoryServer;
use crate::simulator::render;

const JSON: &str = "application/json";

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

fn day(file: &str) -> (HistoryServer, Option<NaiveDate>) {
    let day = file.strip_suffix(".json");
    let day = day.and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok());
    (HistoryServer::R2z2, day)
}

async fn totals(State(shared): Simulated) -> Response {
    history(super::json(&days::totals(&shared, HistoryServer::R2z2)))
}

async fn hashes(
    State(shared): Simulated,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let make = |day: &Day| object(day, render::hash);
    history(days::answer(&shared, day(&file), &headers, JSON, make).await)
}

async fn bodies(
    State(shared): Simulated,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let make = |day: &Day| object(day, render::esi);
    // Another kind, because both files of a day have the same version.
    history(
        days::answer(
            &shared,
            day(&file),
            &headers,
            "application/json; charset=utf-8",
            make,
        )
        .await,
    )
}

/// An object by killmail id, written as it is made.
fn object<T: Serialize>(day: &Day, value: fn(&Killmail) -> T) -> std::io::Result<Vec<u8>> {
    let mut text = vec![b'{'];
    for killmail in day.killmails() {
        if text.len() > 1 {
            text.push(b',');
        }
        write!(text, "\"{}\":", killmail.killmail_id)?;
        serde_json::to_writer(&mut text, &value(&killmail))?;
    }
    text.push(b'}');
    Ok(text)
}

/// The real server claims that these files never change, although it rewrites them in place.
fn history(mut answer: Response) -> Response {
    if answer.status() != StatusCode::NOT_FOUND {
        let forever = HeaderValue::from_static("public, max-age=31536000");
        answer.headers_mut().insert(CACHE_CONTROL, forever);
    }
    answer
}
