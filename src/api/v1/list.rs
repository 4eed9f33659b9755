//! `GET /api/v1/systems/{id}/killmails` and `GET /api/v1/characters/{id}/killmails`: `{"kills":[…]}`, newest
//! first, over the last `hours` (24), at most `limit` (50, at most 1,000) of them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use super::envelope::json_text;
use super::kills::{self, Kills, Whose};
use super::read::{self, Span, invalid_character, invalid_system};
use super::shapes::{BadRequest, Failures, Hours, KillList};
use super::{Fields, V1Error};
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::{ApiError, ApiState};

/// Killmails of a system.
///
/// # Errors
/// 400 for an id, span or limit that is no number in its range; the database.
#[utoipa::path(
    get,
    path = "/api/v1/systems/{id}/killmails",
    operation_id = "list_killmails_of_system",
    tag = WANDERER_KILLS,
    summary = "Killmails of a system, without the envelope",
    description = "Newest first.",
    params(("id" = i64, Path, minimum = 1, description = "The solar system.", example = 30_000_142), Hours),
    responses(
        (status = 200, description = "The killmails.", body = KillList),
        BadRequest,
        Failures,
    ),
)]
pub(super) async fn of_system(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = read::id(id, invalid_system)?;
    let span = span(query)?;
    let _permit = state.admission.request()?;
    let now = state.clock.now();
    Whose::System(id)
        .newest(&state, span, now)
        .await
        .map(|kills| answer(&kills))
}

/// Killmails in which a character took part.
///
/// # Errors
/// As [`of_system`].
#[utoipa::path(
    get,
    path = "/api/v1/characters/{id}/killmails",
    operation_id = "list_killmails_of_character",
    tag = WANDERER_KILLS,
    summary = "Killmails in which a character took part",
    description = "Newest first.",
    params(("id" = i64, Path, minimum = 1, description = "The character.", example = 95_465_499), Hours),
    responses(
        (status = 200, description = "The killmails.", body = KillList),
        BadRequest,
        Failures,
    ),
)]
pub(super) async fn of_character(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = read::id(id, invalid_character)?;
    let span = span(query)?;
    let _permit = state.admission.request()?;
    let now = state.clock.now();
    Whose::Character(id)
        .newest(&state, span, now)
        .await
        .map(|kills| answer(&kills))
}

fn span(query: Option<String>) -> Result<Span, V1Error> {
    let fields = Fields::of_query(&query.unwrap_or_default());
    Span::read(&fields, &["hours", "since_hours"], "limit")
        .ok_or_else(|| V1Error::bad_request("INVALID_PARAMETERS", "Invalid parameters"))
}

fn answer(kills: &Kills) -> Response {
    let mark = kills::mark(kills.truncated);
    json_text([r#"{"kills":"#, &kills.json, mark, "}"].concat())
}
