//! `GET /api/killfeed/next`: one event for a `client_id`, or 204.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::client_id::{ClientError, ClientPoll, head, take};
use super::page;
use super::shapes::{ClientEvent, ClientFailures, ClientParameters};
use crate::api::docs::answers::LineTooLong;
use crate::api::docs::tags::KILLFEED;
use crate::api::extract::Params;
use crate::api::{ApiError, ApiState};

/// Serves the oldest event that the client has not been given, bare:
/// `{"event_id","system_id","killmail"}`. Only the offset of its system moves.
///
/// # Errors
/// [`ClientError`].
#[utoipa::path(
    get,
    path = "/api/killfeed/next",
    operation_id = "next_killfeed_event",
    tag = KILLFEED,
    summary = "The next event for a client whose offset the server keeps",
    description = "The oldest event that the client has not been given, bare. Only the offset of its system moves.",
    params(ClientParameters),
    responses(
        (status = 200, description = "The event.", body = ClientEvent),
        (status = 204, description = "Nothing new."),
        ClientFailures,
        LineTooLong,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Response, ApiError> {
    let poll = ClientPoll::read(params)?;
    let _permit = state
        .admission
        .request()
        .map_err(|_| ClientError::Unavailable)?;
    let rows = take(&state, &poll, 1).await?;
    Ok(match rows.first() {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(row) => page::json(format!("{}{}}}", head(row), row.document).into_bytes()),
    })
}
