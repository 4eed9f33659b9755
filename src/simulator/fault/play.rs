//! Plays a fault on a request.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Fault;
use crate::simulator::server::Shared;

/// The largest answer that is rewritten; day archives stay below.
const MAX_BODY: usize = 256 * 1024 * 1024;
const PAGE: &str = "<!DOCTYPE html><html><head><title>Attention Required!</title></head>\
    <body><h1>Sorry, you have been blocked</h1></body></html>";
const BALANCER_PAGE: &str = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n\
    <body><center><h1>504 Gateway Time-out</h1></center></body>\r\n</html>\r\n";

/// Answers a request the way `fault` says.
pub(crate) async fn play(fault: Fault, shared: &Shared, request: Request, next: Next) -> Response {
    match fault {
        Fault::NotFoundGhost { .. } | Fault::GapForever => {
            (StatusCode::NOT_FOUND, "not found").into_response()
        }
        Fault::ReusedNumber => {
            if let Some(sequence) = sequence_of(request.uri().path()) {
                shared.world().reuse(sequence, shared.clock().now());
            }
            next.run(request).await
        }
        Fault::RewoundSequence { by } => {
            let shown = shared.world().sequence_shown().saturating_sub(by);
            axum::Json(json!({ "sequence": shown })).into_response()
        }
        Fault::TooManyRequests { retry_after } => too_many(retry_after),
        Fault::Forbidden => (StatusCode::FORBIDDEN, axum::response::Html(PAGE)).into_response(),
        Fault::ServerError(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, "the server failed").into_response()
        }
        Fault::Html => axum::response::Html(PAGE).into_response(),
        Fault::EmptyBody => json_text(Bytes::new()),
        Fault::TruncatedJson => {
            let (status, bytes) = answer(request, next).await;
            let mut response = json_text(bytes.slice(..bytes.len() / 2));
            *response.status_mut() = status;
            response
        }
        Fault::NullBody => null_body(answer(request, next).await),
        Fault::Stall(duration) => {
            tokio::time::sleep(duration).await;
            next.run(request).await
        }
        Fault::LateAnswer(duration) => {
            let answer = next.run(request).await;
            tokio::time::sleep(duration).await;
            answer
        }
        Fault::ErrorLimited420 => error_limited(),
        Fault::Maintenance => maintenance(StatusCode::SERVICE_UNAVAILABLE),
        Fault::MaintenanceAsSuccess => maintenance(StatusCode::OK),
        Fault::HtmlStatus(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, axum::response::Html(BALANCER_PAGE)).into_response()
        }
        Fault::PoisonedNames => {
            let text = "Ensure all IDs are valid before resolving.";
            (StatusCode::NOT_FOUND, axum::Json(json!({ "error": text }))).into_response()
        }
        Fault::WrongHash => {
            let text = "Invalid killmail_id and/or killmail_hash";
            let body = axum::Json(json!({ "error": text }));
            (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
        }
        Fault::CutConnection => cut(&answer(request, next).await.1),
        Fault::ErrorObject => {
            axum::Json(json!({ "error": "something went wrong" })).into_response()
        }
        Fault::EmptyList => axum::Json(json!([])).into_response(),
    }
}

fn sequence_of(path: &str) -> Option<i64> {
    path.strip_prefix("/r2z2/ephemeral/")?
        .strip_suffix(".json")?
        .parse()
        .ok()
}

fn too_many(retry_after: Option<u64>) -> Response {
    let mut response = (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn maintenance(status: StatusCode) -> Response {
    let text = "ESI is currently in maintenance mode. Please try again later.";
    (status, axum::Json(json!({ "error": text }))).into_response()
}

fn error_limited() -> Response {
    let status = StatusCode::from_u16(420).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
    let headers = [
        (HeaderName::from_static("x-esi-error-limit-remain"), "0"),
        (HeaderName::from_static("x-esi-error-limit-reset"), "1"),
    ];
    let body = axum::Json(json!({"error": "This software has exceeded the error limit for ESI."}));
    (status, headers, body).into_response()
}

async fn answer(request: Request, next: Next) -> (StatusCode, Bytes) {
    let response = next.run(request).await;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), MAX_BODY)
        .await
        .unwrap_or_default();
    (status, bytes)
}

fn null_body((status, bytes): (StatusCode, Bytes)) -> Response {
    let Ok(mut document) = serde_json::from_slice::<Value>(&bytes) else {
        return (status, bytes).into_response();
    };
    if let Some(esi) = document.get_mut("esi") {
        *esi = Value::Null;
    }
    (status, axum::Json(document)).into_response()
}

fn json_text(bytes: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// Sends half of the body, then breaks the connection.
fn cut(bytes: &Bytes) -> Response {
    let half = bytes.slice(..bytes.len() / 2);
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let stream = futures::stream::iter([Ok(half), Err(broken)]);
    (
        [(CONTENT_TYPE, "application/json")],
        Body::from_stream(stream),
    )
        .into_response()
}
