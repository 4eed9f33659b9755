//! EVE Ref: one compressed archive per day.

use std::sync::Arc;

use async_compression::tokio::write::BzEncoder;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::NaiveDate;
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt;
use tokio_tar::{Builder, Header};

use super::{Shared, Simulated, not_found};
use crate::domain::Killmail;
use crate::simulator::render;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/killmails/totals.json", get(totals))
        .route("/killmails/{year}/{file}", get(archive))
}

async fn totals(State(shared): Simulated) -> Response {
    let today = shared.clock().now().date_naive();
    let counts = shared.world().day_counts();
    let totals: Map<String, Value> = counts
        .into_iter()
        .filter(|(day, _)| *day < today)
        .map(|(day, count)| (day.format("%Y%m%d").to_string(), count.into()))
        .collect();
    super::json(&Value::Object(totals))
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
        .filter(|day| day.format("%Y").to_string() == year)
        .filter(|day| *day < shared.clock().now().date_naive());
    let killmails = day.map_or_else(Vec::new, |day| shared.world().day(day));
    let Some(last) = killmails.last() else {
        return not_found();
    };
    // A day only grows, so that count and last id tell its versions apart.
    let etag = format!("\"{}-{}\"", killmails.len(), last.killmail_id);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|it| it.as_bytes() == etag.as_bytes());
    let tag = [(header::ETAG, etag)];
    if known {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    match pack(&killmails).await {
        Ok(bytes) => {
            let kind = [(header::CONTENT_TYPE, "application/x-bzip2")];
            (tag, kind, bytes).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a day archive could not be packed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn pack(killmails: &[Arc<Killmail>]) -> std::io::Result<Vec<u8>> {
    let mut archive = Builder::new(BzEncoder::new(Vec::new()));
    for killmail in killmails {
        let body = render::everef(killmail).to_string();
        let mut entry = Header::new_gnu();
        entry.set_size(u64::try_from(body.len()).unwrap_or_default());
        entry.set_mode(0o644);
        entry.set_cksum();
        let name = format!("killmails/{}.json", killmail.killmail_id);
        archive
            .append_data(&mut entry, name, body.as_bytes())
            .await?;
    }
    let mut encoder = archive.into_inner().await?;
    encoder.shutdown().await?;
    Ok(encoder.into_inner())
}
