//! `GET /docs`: the page that shows the document (Swagger UI), with everything it needs in the binary.
//!
//! Its policy allows what comes from this service alone, and styles that its scripts write.

use std::io::Read as _;
use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::Config;

use super::answers::PlainError;
use super::tags::OPERATION;
use crate::api::{ApiError, docs};

/// Longest an asset may become when it is unpacked: the largest has 1.5 MB.
const MAX_ASSET_BYTES: u64 = 16 * 1024 * 1024;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How the page is set up. Without a validator: that would send the document's address to somebody else.
pub(super) fn config() -> Config<'static> {
    Config::new(["../api/openapi.json"])
        .validator_url("none")
        .deep_linking(true)
        .default_models_expand_depth(0)
        .doc_expansion("list")
}

/// Leads to the folder, since the page's files are named relative to it.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "get_documentation",
    tag = OPERATION,
    summary = "The page that shows this document",
    description = "Leads to `docs/`.",
    responses(
        (status = 308, description = "To the page.", headers(("Location" = String, description = "`docs/`."))),
        docs::answers::Failures,
    ),
)]
pub(super) async fn index() -> Redirect {
    Redirect::permanent("docs/")
}

/// Serves the page.
#[utoipa::path(
    get,
    path = "/docs/",
    operation_id = "get_documentation_page",
    tag = OPERATION,
    summary = "The page that shows this document, itself",
    description = "It needs nothing from elsewhere.",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        docs::answers::Failures,
    ),
)]
pub(super) async fn index_in_folder(
    Extension(config): Extension<Arc<Config<'static>>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    serve("index.html", &config, &headers)
}

/// Serves a file of the page.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    operation_id = "get_documentation_file",
    tag = OPERATION,
    summary = "A script, style or picture of the page",
    description = "Packed with gzip where the client takes that.",
    params(("file" = String, Path, description = "The file's name.", example = "swagger-ui.css")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/css"), (String = "text/javascript"), (String = "text/html"), (String = "image/png"),
        )),
        (status = 404, description = "No such file.", body = PlainError),
        docs::answers::Failures,
    ),
)]
pub(super) async fn asset(
    Extension(config): Extension<Arc<Config<'static>>>,
    file: Result<Path<String>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(file) = file.map_err(|_| ApiError::RouteNotFound)?;
    serve(&file, &config, &headers)
}

fn serve(
    name: &str,
    config: &Arc<Config<'static>>,
    request: &HeaderMap,
) -> Result<Response, ApiError> {
    let failed = |error: String| ApiError::Panicked {
        message: format!("the documentation's {name} can't be read: {error}"),
    };
    let file = utoipa_swagger_ui::serve(name, Arc::clone(config))
        .map_err(|error| failed(error.to_string()))?
        .ok_or(ApiError::RouteNotFound)?;
    let kind = HeaderValue::try_from(&file.content_type);
    let kind = kind.map_err(|error| failed(error.to_string()))?;
    let mut headers = crate::api::page::headers(kind, POLICY);
    let packed_or_not = HeaderValue::from_static("accept-encoding");
    headers.insert(header::VARY, packed_or_not);
    let mut bytes = file.bytes.into_owned();
    if file.gzpipped && takes_gzip(request) {
        let gzip = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, gzip);
    } else if file.gzpipped {
        bytes = unpacked(&bytes).map_err(|error| failed(error.to_string()))?;
    }
    Ok((StatusCode::OK, headers, bytes).into_response())
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING);
    accepted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("gzip"))
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes)
        .take(MAX_ASSET_BYTES)
        .read_to_end(&mut unpacked)?;
    Ok(unpacked)
}
