//! `GET /websocket` and `GET /websocket/status`: where the socket is, and how it does.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::shapes::{SocketDescription, SocketStatus};
use crate::api::ApiState;
use crate::api::docs::answers::Failures;
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::limits::MAX_SUBSCRIBED_SYSTEMS;

/// Longest host that is repeated.
const MAX_HOST_BYTES: usize = 255;

/// Tenths of all streams from which on the state is `degraded`.
const DEGRADED_TENTHS: usize = 9;

/// Describes the socket.
#[utoipa::path(
    get,
    path = "/websocket",
    operation_id = "describe_socket",
    tag = WANDERER_KILLS,
    summary = "Where the Phoenix socket is, and what it takes",
    description = "The address is the one that the client has reached us by.",
    responses((status = 200, description = "The description.", body = SocketDescription), Failures),
)]
pub(super) async fn describe(State(state): State<ApiState>, headers: HeaderMap) -> Json<Value> {
    Json(json!({
        "websocket_url": url(&headers, &state),
        "protocol": "Phoenix Channels",
        "version": "2.0.0",
        "channels": { "killmails": "killmails:lobby" },
        "authentication": {
            "required": false,
            "type": "none",
            "description": "No authentication required for public killmail data",
        },
        "limits": {
            "max_systems_per_subscription": MAX_SUBSCRIBED_SYSTEMS,
            "timeout_seconds": state.limits.phoenix_idle.as_secs(),
            "rate_limit": "per_connection",
        },
        "documentation": {
            "url": "https://github.com/wanderer-industries/wanderer-kills",
            "examples": "/examples/websocket_client.ex",
        },
    }))
}

/// How many are connected. `degraded` when nearly every place for a stream may be taken by sockets.
#[utoipa::path(
    get,
    path = "/websocket/status",
    operation_id = "get_socket_status",
    tag = WANDERER_KILLS,
    summary = "How the Phoenix socket does",
    description = "`degraded` when nearly every place for a stream may be taken by sockets.",
    responses((status = 200, description = "The state.", body = SocketStatus), Failures),
)]
pub(super) async fn status(State(state): State<ApiState>) -> Json<Value> {
    let connections = state.phoenix.connections();
    let degraded = state.limits.streams.saturating_mul(DEGRADED_TENTHS) / 10;
    let uptime = state
        .clock
        .monotonic()
        .saturating_sub(state.phoenix.started);
    let timestamp = state.clock.now();
    Json(json!({
        "status": if connections > degraded { "degraded" } else { "operational" },
        "active_connections": connections,
        "active_subscriptions": state.phoenix.subscriptions(),
        "uptime_seconds": uptime.as_secs(),
        "timestamp": timestamp.to_rfc3339_opts(SecondsFormat::Micros, true),
    }))
}

/// The socket's URL as the client reaches us; a proxy that ends TLS says so.
fn url(headers: &HeaderMap, state: &ApiState) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let secure = text(header::HeaderName::from_static("x-forwarded-proto")) == Some("https");
    let (scheme, port) = if secure {
        ("wss", ":443")
    } else {
        ("ws", ":80")
    };
    let host = text(header::HOST)
        .filter(|host| host.len() <= MAX_HOST_BYTES)
        .map_or_else(|| state.config.listen.to_string(), str::to_owned);
    let host = host.strip_suffix(port).unwrap_or(&host);
    format!("{scheme}://{host}/socket")
}
