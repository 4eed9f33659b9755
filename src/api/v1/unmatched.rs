//! Paths that nothing answers.

use axum::http::{Method, Uri};

use super::V1Error;
use crate::api::ApiError;

/// 404, in the body that the path and the method have always got.
pub(super) async fn handle(method: Method, uri: Uri) -> ApiError {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    if known.contains(&method) && uri.path().starts_with("/api/v1") {
        V1Error::not_found("Not Found").into()
    } else {
        ApiError::RouteNotFound
    }
}
