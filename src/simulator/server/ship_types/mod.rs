//! Static data: Fuzzwork's CSV in its old and new format, and CCP's export, as a zip and file by file.

mod export;
mod tables;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Shared, Simulated, not_found};
use tables::Format;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/dump/latest/{file}", get(old_csv))
        .route("/dump/latest/csv/{file}", get(new_csv))
        .route("/tranquility/{file}", get(exported))
}

async fn old_csv(state: Simulated, Path(file): Path<String>, headers: HeaderMap) -> Response {
    csv(&state, &file, Format::Old, &headers)
}

async fn new_csv(state: Simulated, Path(file): Path<String>, headers: HeaderMap) -> Response {
    csv(&state, &file, Format::New, &headers)
}

fn csv(State(shared): &Simulated, file: &str, format: Format, headers: &HeaderMap) -> Response {
    let percent = shared.edition().percent;
    let bytes = tables::file(file, format, percent);
    answer(shared, file, "text/csv", bytes, headers)
}

async fn exported(
    State(shared): Simulated,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let edition = shared.edition().clone();
    let kind = if file.strip_suffix(".zip").is_some() {
        "application/zip"
    } else {
        "application/jsonl"
    };
    answer(
        &shared,
        &file,
        kind,
        export::file(&file, &edition),
        &headers,
    )
}

/// The file with its `ETag`, half of it where that is asked for, or 304.
fn answer(
    shared: &Shared,
    file: &str,
    kind: &'static str,
    bytes: Option<Vec<u8>>,
    headers: &HeaderMap,
) -> Response {
    let edition = shared.edition().clone();
    let Some(mut bytes) = bytes else {
        return not_found();
    };
    let tag = format!("\"{}-{file}\"", edition.build);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|it| it.as_bytes() == tag.as_bytes());
    let head = [(header::ETAG, tag), (header::CONTENT_TYPE, kind.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    if edition.cut.as_deref() == Some(file) {
        bytes.truncate(bytes.len() / 2);
    }
    (head, bytes).into_response()
}

/// The first `percent` of some rows.
fn share<T>(rows: &[T], percent: usize) -> &[T] {
    let count = rows.len() * percent.min(100) / 100;
    rows.get(..count).unwrap_or(rows)
}
