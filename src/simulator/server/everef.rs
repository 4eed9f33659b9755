//! EVE Ref: one compressed archive per day.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use chrono::NaiveDate;

use super::days::{self, Day};
use super::{Shared, Simulated};
use crate::simulator::archives::{self, HistoryServer};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/killmails/totals.json", get(totals))
        .route("/killmails/{year}/{file}", get(archive))
}

async fn totals(State(shared): Simulated) -> Response {
    super::json(&days::totals(&shared, HistoryServer::EveRef))
}

async fn archive(
    State(shared): Simulated,
    Path((year, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let day = file
        .strip_prefix("killmails-")
        .and_then(|it| it.strip_suffix(".tar.bz2"))
        .and_then(|it| NaiveDate::parse_from_str(it, "%Y-%m-%d").ok())
        .filter(|day| day.format("%Y").to_string() == year);
    let day = (HistoryServer::EveRef, day);
    days::answer(&shared, day, &headers, "application/x-bzip2", pack).await
}

fn pack(day: &Day) -> std::io::Result<Vec<u8>> {
    archives::pack(day.killmails())
}
