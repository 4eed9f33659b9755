//! `GET /api/v1/kills/system/{id}` and `GET /api/v1/kills/cached/{id}`: killmails of one system, newest first.
//!
//! `{"data":{"kills":[…],"timestamp":"…","cached":true},"timestamp":"…"}`. The first takes `since_hours` (24)
//! and `limit` (50, at most 1,000); `cached` is true where all of that span is stored, and `backfill` says how
//! far it is where not. The second has what the last two days brought, as far as it is stored. `truncated` is there, and
//! true, when the answer would have become too large. Anything wrong is `INVALID_SYSTEM_ID`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use super::Fields;
use super::backfill::{self, Backfill, Question};
use super::envelope::{success, timestamp};
use super::kills::{self, Whose};
use super::read::{self, Span, invalid_system};
use super::shapes::{BadRequest, Failures, Since, SystemKills};
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::extract::PeerAddress;
use crate::api::limits::MAX_V1_KILLMAILS;
use crate::api::{ApiError, ApiState};

/// What the original kept in memory.
const CACHED: Span = Span {
    hours: 48,
    limit: MAX_V1_KILLMAILS,
};

/// Killmails of the asked span.
///
/// # Errors
/// 400 for an id, span or limit that is no number in its range; the database.
#[utoipa::path(
    get,
    path = "/api/v1/kills/system/{id}",
    operation_id = "list_kills_in_system",
    tag = WANDERER_KILLS,
    summary = "Killmails of a system",
    description = "Newest first. Anything wrong is `INVALID_SYSTEM_ID`.",
    params(("id" = i64, Path, minimum = 1, description = "The solar system.", example = 30_000_142), Since),
    responses(
        (status = 200, description = "The killmails.", body = SystemKills),
        BadRequest,
        Failures,
    ),
)]
pub(super) async fn live(
    State(state): State<ApiState>,
    PeerAddress(peer): PeerAddress,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = read::id(id, invalid_system)?;
    let fields = Fields::of_query(&query.unwrap_or_default());
    let span = Span::read(&fields, &["since_hours"], "limit").ok_or_else(invalid_system)?;
    let _permit = state.admission.request()?;
    let now = state.clock.now();
    let question = Question {
        peer,
        since: span.since(now),
        now,
    };
    // Before the list is read: what the state promises is in the list then.
    let past = backfill::of_systems(&state, &[id], question).await?;
    answer(&state, id, span, past.get(&id)).await
}

/// Killmails of the last two days.
///
/// # Errors
/// 400 for an id that is no positive number; the database.
#[utoipa::path(
    get,
    path = "/api/v1/kills/cached/{id}",
    operation_id = "list_cached_kills_in_system",
    tag = WANDERER_KILLS,
    summary = "Killmails of a system in the last two days",
    description = "Newest first, at most 1000.",
    params(("id" = i64, Path, minimum = 1, description = "The solar system.", example = 30_000_142)),
    responses(
        (status = 200, description = "The killmails.", body = SystemKills),
        BadRequest,
        Failures,
    ),
)]
pub(super) async fn cached(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let id = read::id(id, invalid_system)?;
    let _permit = state.admission.request()?;
    answer(&state, id, CACHED, None).await
}

async fn answer(
    state: &ApiState,
    id: i64,
    span: Span,
    past: Option<&Backfill>,
) -> Result<Response, ApiError> {
    let now = state.clock.now();
    let kills = Whose::System(id).newest(state, span, now).await?;
    let data = format!(
        r#"{{"kills":{},"timestamp":"{}","cached":{}{}{}}}"#,
        kills.json,
        timestamp(now),
        past.is_none_or(Backfill::is_known),
        past.map(|past| format!(r#","backfill":{}"#, past.json()))
            .unwrap_or_default(),
        kills::mark(kills.truncated),
    );
    Ok(success(&data, now))
}
