//! `GET /api/openapi.json` and `GET /api/openapi`: the document, written once.

use std::sync::Arc;

use axum::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use utoipa::openapi::OpenApi;

use super::tags::OPERATION;
use crate::api::{ApiError, docs};

/// The document's bytes.
#[derive(Debug)]
pub(super) struct Served(Result<Bytes, serde_json::Error>);

impl Served {
    /// Writes the document.
    pub(super) fn of(document: &OpenApi) -> Self {
        Self(serde_json::to_vec(document).map(Bytes::from))
    }
}

/// Serves the document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "get_openapi",
    tag = OPERATION,
    summary = "This document",
    description = "OpenAPI 3.1 of every route of this service.",
    responses(
        (status = 200, description = "The document.", body = serde_json::Value),
        docs::answers::Failures,
    ),
)]
pub(super) async fn json(Extension(served): Extension<Arc<Served>>) -> Response {
    answer(&served)
}

/// Serves the document where WandererKills has it.
#[utoipa::path(
    get,
    path = "/api/openapi",
    operation_id = "get_openapi_as_wanderer_kills",
    tag = OPERATION,
    summary = "This document, at the address that WandererKills has for it",
    description = "The same as `/api/openapi.json`.",
    responses(
        (status = 200, description = "The document.", body = serde_json::Value),
        docs::answers::Failures,
    ),
)]
pub(super) async fn plain(Extension(served): Extension<Arc<Served>>) -> Response {
    answer(&served)
}

fn answer(served: &Served) -> Response {
    match &served.0 {
        Ok(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, bytes.clone()).into_response()
        }
        Err(error) => ApiError::Panicked {
            message: format!("the OpenAPI document can't be written: {error}"),
        }
        .into_response(),
    }
}
