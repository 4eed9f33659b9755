//! `GET /`: kills as they happen, for people. Everything the page needs is in the binary, below `/live/`.
//!
//! The page is a client of this service's own interface: the killfeed as server-sent events, history, statistics and
//! health. Its policy allows files and answers of this service, no inline script or style, and nothing from elsewhere.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::docs::answers::{Failures, PlainError};
use super::docs::tags::OPERATION;
use super::state::ApiState;
use super::{ApiError, page};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// The page's files: name, type and content.
const FILES: [(&str, &str, &str); 10] = [
    ("charts.js", SCRIPT, include_str!("assets/charts.js")),
    ("feed.js", SCRIPT, include_str!("assets/feed.js")),
    ("filter.js", SCRIPT, include_str!("assets/filter.js")),
    ("format.js", SCRIPT, include_str!("assets/format.js")),
    ("icon.svg", PICTURE, include_str!("assets/icon.svg")),
    ("kills.css", CSS, include_str!("assets/kills.css")),
    ("kills.js", SCRIPT, include_str!("assets/kills.js")),
    ("main.js", SCRIPT, include_str!("assets/main.js")),
    ("status.js", SCRIPT, include_str!("assets/status.js")),
    ("style.css", CSS, include_str!("assets/style.css")),
];

/// Requests that end soon; answers may be compressed.
pub(super) fn plain() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(index))
        .routes(routes!(file))
}

/// Serves the page.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "get_live_page",
    tag = OPERATION,
    summary = "Kills as they happen, for people",
    description = "A page that needs nothing from elsewhere. It takes `systems`, `regions`, `ship_types` (one id each) \
        and `min_value` in its address.",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        Failures,
    ),
)]
async fn index() -> Response {
    served(HTML, include_str!("assets/index.html"))
}

/// Serves a file of the page.
#[utoipa::path(
    get,
    path = "/live/{file}",
    operation_id = "get_live_page_file",
    tag = OPERATION,
    summary = "A script, style or picture of the page of kills",
    description = "What `/` loads.",
    params(("file" = String, Path, description = "The file's name.", example = "main.js")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/css"), (String = "text/javascript"), (String = "image/svg+xml"),
        )),
        (status = 404, description = "No such file.", body = PlainError),
        Failures,
    ),
)]
async fn file(name: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let Path(name) = name.map_err(|_| ApiError::RouteNotFound)?;
    FILES
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, kind, text)| served(kind, text))
        .ok_or(ApiError::RouteNotFound)
}

fn served(kind: &'static str, text: &'static str) -> Response {
    let headers = page::headers(HeaderValue::from_static(kind), POLICY);
    (headers, text).into_response()
}
