//! `GET /metrics`: Prometheus' text exposition.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::ApiState;

/// Renders all metrics.
pub(super) async fn handle(State(state): State<ApiState>) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, state.metrics.render()).into_response()
}
