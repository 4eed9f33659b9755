//! Killmails of many systems at once, newest first in each.
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/v1/kills/systems` `{"system_ids":[…],"since_hours":24,"limit":50}` | `{"data":{"systems_kills":{"30000142":[…]},"timestamp":"…"},"timestamp":"…"}` |
//! | `POST /api/v1/systems/bulk/killmails` `{"system_ids":[…],"hours":24,"limit_per_system":50}` | `{"systems":{"30000142":[…]}}` |
//!
//! Every system that was asked for has its list. Beside the lists of the first, `backfill` says whether they
//! are all there is: one state for all, and in `systems` those that are not complete. Where the answer would have become too large, the lists of
//! the last systems are cut and `truncated` is there, and true.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::backfill::{self, Question};
use super::envelope::{json_text, success, timestamp};
use super::kills::{self, Room};
use super::read::{self, Span};
use super::shapes::{
    BadBody, BodyTooLarge, BulkKills, BulkRequest, Failures, SystemsKills, SystemsRequest,
};
use super::{Posted, V1Error};
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::extract::PeerAddress;
use crate::api::limits::HISTORY_CHUNK;
use crate::api::{ApiError, ApiState};
use crate::store::killmails::history::{self, Before, PastKillmail};

/// `POST /api/v1/kills/systems`.
///
/// # Errors
/// 400 for ids that are no numbers, none or too many, and for other values out of range; the database.
#[utoipa::path(
    post,
    path = "/api/v1/kills/systems",
    operation_id = "list_kills_in_systems",
    tag = WANDERER_KILLS,
    summary = "Killmails of many systems",
    description = "Newest first in each. Fields may also stand in the query or in a form.",
    request_body = SystemsRequest,
    responses(
        (status = 200, description = "The killmails.", body = SystemsKills),
        (status = 400, description = "`INVALID_SYSTEM_IDS`, `INVALID_PARAMETERS`, or a body that is no JSON.", body = BadBody),
        BodyTooLarge,
        Failures,
    ),
)]
pub(super) async fn kills(
    State(state): State<ApiState>,
    PeerAddress(peer): PeerAddress,
    posted: Posted,
) -> Result<Response, ApiError> {
    let systems = read::system_ids(&posted.fields)?;
    let span = Span::read(&posted.fields, &["since_hours"], "limit").ok_or_else(invalid)?;
    let now = state.clock.now();
    let since = span.since(now);
    let past = backfill::of_systems(&state, &systems, Question { peer, since, now }).await?;
    let (lists, truncated) = lists(&state, &systems, span, now).await?;
    let data = format!(
        r#"{{"systems_kills":{lists},"timestamp":"{}","backfill":{}{}}}"#,
        timestamp(now),
        backfill::json_of_many(&past, since),
        kills::mark(truncated),
    );
    Ok(success(&data, now))
}

/// `POST /api/v1/systems/bulk/killmails`.
///
/// # Errors
/// As [`kills()`].
#[utoipa::path(
    post,
    path = "/api/v1/systems/bulk/killmails",
    operation_id = "list_killmails_in_bulk",
    tag = WANDERER_KILLS,
    summary = "Killmails of many systems, without the envelope",
    description = "Newest first in each. Fields may also stand in the query or in a form.",
    request_body = BulkRequest,
    responses(
        (status = 200, description = "The killmails.", body = BulkKills),
        (status = 400, description = "`INVALID_SYSTEM_IDS`, `INVALID_PARAMETERS`, or a body that is no JSON.", body = BadBody),
        BodyTooLarge,
        Failures,
    ),
)]
pub(super) async fn bulk(
    State(state): State<ApiState>,
    posted: Posted,
) -> Result<Response, ApiError> {
    let systems = read::system_ids(&posted.fields)?;
    let span = Span::read(
        &posted.fields,
        &["hours", "since_hours"],
        "limit_per_system",
    );
    let span = span.ok_or_else(invalid)?;
    let (lists, truncated) = lists(&state, &systems, span, state.clock.now()).await?;
    Ok(json_text(format!(
        r#"{{"systems":{lists}{}}}"#,
        kills::mark(truncated)
    )))
}

fn invalid() -> V1Error {
    V1Error::bad_request("INVALID_PARAMETERS", "Invalid parameters")
}

/// The lists as a JSON object by system, and whether any had to be cut.
async fn lists(
    state: &ApiState,
    systems: &[i64],
    span: Span,
    now: DateTime<Utc>,
) -> Result<(String, bool), ApiError> {
    let mut json = String::from("{");
    let mut truncated = false;
    let mut room = Room::whole();
    let at_once = usize::try_from((HISTORY_CHUNK / span.limit).max(1)).unwrap_or(1);
    for some in systems.chunks(at_once) {
        let rows = if truncated {
            Vec::new()
        } else {
            let pool = &state.store.reads.any().await.reads;
            history::in_systems(pool, some, span.since(now), Before::END, span.limit).await?
        };
        for system in some {
            let own = |row: &&PastKillmail| row.solar_system_id == *system;
            let documents = rows.iter().filter(own).map(|row| row.document.as_str());
            let kills = kills::join(documents, &mut room);
            truncated |= kills.truncated;
            if json.len() > 1 {
                json.push(',');
            }
            json.extend(["\"", &system.to_string(), "\":", &kills.json]);
        }
    }
    json.push('}');
    Ok((json, truncated))
}
