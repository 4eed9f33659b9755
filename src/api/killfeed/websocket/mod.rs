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
//! | `{"type":"filter","filter":{…}}` | replaces the filter ([`Filter`](crate::domain::Filter) as JSON) |
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
use crate::api::events::Staying;
use crate::api::extract::{Params, PeerAddress};
use crate::api::limits::STREAM_BATCH_EVENTS;
use crate::api::{ApiError, ApiState};

/// Opens a session.
///
/// # Errors
/// No upgrade, parameters that can't be understood, a cursor that can't be served, too many streams.
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
