//! `GET /api/killfeed/ws`: the feed as a plain JSON websocket.
//!
//! Query parameters: `after` (cursor; 0 is the oldest event kept; absent: from now) and the filter.
//!
//! | server sends | when |
//! |---|---|
//! | `{"type":"hello","cursor":N,"head":N}` | first; `cursor` is where this session starts |
//! | `{"type":"killmail","cursor":N,"event":{"event_id","kind","system_id","killmail"}}` | per event, in order; keep `cursor` and come back with `after=N` |
//! | `{"type":"cursor","cursor":N}` | where the filter has matched nothing for a while |
//! | `{"type":"filter","cursor":N}` | the new filter holds for every event after `cursor` |
//! | `{"type":"pong","cursor":N}` | answer to `ping` |
//! | `{"type":"error","code":"…","detail":"…"}` | a frame that was not understood, or what ends the session |
//!
//! | client sends | meaning |
//! |---|---|
//! | `{"type":"filter","filter":{…}}` | replaces the filter ([`Filter`] as JSON) |
//! | `{"type":"ping"}` | asks for a sign of life; websocket pings work too |
//!
//! Close codes: 1001 no sign of life, 1008 too much that was not understood or a cursor that expired,
//! 1009 a message too large, 1011 and 1013 our failure (come back later), 1012 the service restarts.

mod protocol;
mod session;

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;

use super::opening::open;
use crate::api::client_socket::limited;
use crate::api::docs::answers::{
    BadRequest, CursorRefused, Failures, LineTooLong, ProblemDocument,
};
use crate::api::docs::parameters::After;
use crate::api::docs::tags::KILLFEED;
use crate::api::events::Staying;
use crate::api::extract::{Params, PeerAddress};
use crate::api::limits::STREAM_BATCH_EVENTS;
use crate::api::{ApiError, ApiState};
use crate::domain::Filter;

/// Opens a session.
///
/// # Errors
/// No upgrade, parameters that can't be understood, a cursor that can't be served, too many streams.
#[utoipa::path(
    get,
    path = "/api/killfeed/ws",
    operation_id = "open_killfeed_websocket",
    tag = KILLFEED,
    summary = "The feed as a plain JSON websocket",
    description = "The server sends `hello` first (`cursor`, `head`), then `killmail` per event (keep `cursor` and \
        come back with `after`), `cursor` where the filter matches nothing for a while, `filter` once a new filter \
        holds, `pong`, and `error` (`code`, `detail`). The client may send `{\"type\":\"filter\",\"filter\":{…}}`, \
        which replaces the filter, and `{\"type\":\"ping\"}`. Close codes: 1001 no sign of life, 1008 too much that \
        was not understood or a cursor that expired, 1009 a message too large, 1011 and 1013 come back later, 1012 \
        the service restarts. The schemas of the messages are under `x-websocket`.",
    params(After, Filter),
    responses(
        (status = 101, description = "The websocket is open."),
        BadRequest,
        CursorRefused,
        LineTooLong,
        (status = 426, description = "`upgrade_required`: the request is no websocket handshake.",
            body = ProblemDocument, content_type = "application/problem+json"),
        Failures,
    ),
    extensions(
        ("x-stays-open" = json!(true)),
        ("x-websocket" = json!({
            "server": { "$ref": "#/components/schemas/KillfeedServerMessage" },
            "client": { "$ref": "#/components/schemas/KillfeedClientMessage" },
        })),
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    PeerAddress(address): PeerAddress,
    mut params: Params,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let cursor = params.after()?;
    let filter = params.filter()?;
    let upgrade = upgrade.map_err(|rejection| ApiError::UpgradeRequired {
        reason: rejection.body_text(),
    })?;
    let permit = state.admission.stream(address)?;
    let opening = open(&state, cursor, filter, STREAM_BATCH_EVENTS, Duration::ZERO).await?;
    let sessions = state.sessions.clone();
    let token = sessions.token();
    Ok(limited(upgrade).on_upgrade(move |socket| async move {
        let staying = Staying::websocket();
        session::run(socket, opening, state).await;
        drop((permit, token, staying));
    }))
}
