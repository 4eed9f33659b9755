//! `GET /metrics`: Prometheus' text exposition.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::ApiState;
use crate::api::docs::answers::Failures;
use crate::api::docs::tags::OPERATION;

/// Renders all metrics.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = OPERATION,
    summary = "All metrics",
    description = "Prometheus' text exposition; `docs/telemetry.md` lists the metrics.",
    responses(
        (status = 200, description = "The exposition.", body = String, content_type = "text/plain"),
        Failures,
    ),
)]
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
