//! `GET /api/stats/characters/{id}`, `/corporations/{id}` and `/alliances/{id}`: a participant in short.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::SummaryParameters;
use super::read::{Asked, Length, answer, reading};
use super::tally::Tally;
use crate::api::docs::answers::{BadRequest, Failures, QueryTooBroad};
use crate::api::docs::tags::STATISTICS;
use crate::api::extract::{Params, integer};
use crate::api::{ApiError, ApiState};
use crate::store::stats::summary::{self, Party, Side};

/// A year of a large alliance takes seconds.
const LENGTH: Length = Length {
    default: TimeDelta::days(30),
    whole: TimeDelta::days(1),
    most_days: 366,
};
const ADVICE: &str = "bring from and to closer together";

/// A participant in a window; all of it zero for one that has no killmails in it.
#[derive(Serialize, ToSchema)]
struct Summary {
    id: i64,
    /// Null where it is not known.
    #[schema(required = true)]
    name: Option<String>,
    /// Null for characters, and where it is not known.
    #[schema(required = true)]
    ticker: Option<String>,
    /// Beginning of the window, itself included.
    from: DateTime<Utc>,
    /// Its end, itself excluded.
    to: DateTime<Utc>,
    /// Killmails with it among the attackers.
    kills: SummarySide,
    /// Killmails whose victim it was.
    losses: SummarySide,
    /// Kills and losses in each hour of the day, UTC, from 0.
    #[schema(min_items = 24, max_items = 24)]
    active_hours: Vec<i64>,
}

/// Kills or losses.
#[derive(Serialize, ToSchema)]
struct SummarySide {
    #[serde(flatten)]
    tally: Tally,
    /// Solo ones: as zKillboard says, and where it says nothing, those with one attacker.
    solo: i64,
    /// Share of the solo ones, 0 to 1; 0 where there are none.
    solo_share: f64,
    /// The ten types that were flown, or lost, in most of them.
    ships: Vec<SummaryShip>,
}

/// A type with its killmails.
#[derive(Serialize, ToSchema)]
struct SummaryShip {
    ship_type_id: i64,
    /// Null where it is not known.
    #[schema(required = true)]
    name: Option<String>,
    killmails: i64,
}

impl From<Side> for SummarySide {
    fn from(side: Side) -> Self {
        let killmails = side.total.killmails;
        let ships = side.ships.into_iter().map(|ship| SummaryShip {
            ship_type_id: ship.ship_type_id,
            name: ship.name,
            killmails: ship.killmails,
        });
        Self {
            tally: side.total.into(),
            solo: side.solo,
            solo_share: share(side.solo, killmails),
            ships: ships.collect(),
        }
    }
}

/// Four digits are enough for a share.
fn share(part: i64, whole: i64) -> f64 {
    let per_myriad = part.saturating_mul(10_000).checked_div(whole);
    f64::from(
        per_myriad
            .and_then(|it| i32::try_from(it).ok())
            .unwrap_or_default(),
    ) / 10_000.0
}

/// Serves a character.
///
/// # Errors
/// 400 for a parameter that can't be understood, 422 when it takes too long, 503 when too many are at work; the
/// database.
#[utoipa::path(
    get,
    path = "/api/stats/characters/{id}",
    operation_id = "get_character_summary",
    tag = STATISTICS,
    summary = "A character in short",
    description = "Kills, losses, ISK, share of solo kills, ships and active hours in a window of 366 days at most. An \
        answer may be ten seconds old.",
    params(("id" = i64, Path, minimum = 1, description = "The character.", example = 95_465_499), SummaryParameters),
    responses(
        (status = 200, description = "The summary.", body = Summary),
        BadRequest,
        QueryTooBroad,
        Failures,
    ),
)]
pub(super) async fn character(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    summarise(&state, &id, Party::Character, params).await
}

/// Serves a corporation.
///
/// # Errors
/// As [`character`].
#[utoipa::path(
    get,
    path = "/api/stats/corporations/{id}",
    operation_id = "get_corporation_summary",
    tag = STATISTICS,
    summary = "A corporation in short",
    description = "As that of a character.",
    params(("id" = i64, Path, minimum = 1, description = "The corporation.", example = 98_000_001), SummaryParameters),
    responses(
        (status = 200, description = "The summary.", body = Summary),
        BadRequest,
        QueryTooBroad,
        Failures,
    ),
)]
pub(super) async fn corporation(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    summarise(&state, &id, Party::Corporation, params).await
}

/// Serves an alliance.
///
/// # Errors
/// As [`character`].
#[utoipa::path(
    get,
    path = "/api/stats/alliances/{id}",
    operation_id = "get_alliance_summary",
    tag = STATISTICS,
    summary = "An alliance in short",
    description = "As that of a character.",
    params(("id" = i64, Path, minimum = 1, description = "The alliance.", example = 99_005_338), SummaryParameters),
    responses(
        (status = 200, description = "The summary.", body = Summary),
        BadRequest,
        QueryTooBroad,
        Failures,
    ),
)]
pub(super) async fn alliance(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    summarise(&state, &id, Party::Alliance, params).await
}

async fn summarise(
    state: &ApiState,
    id: &str,
    party: fn(i64) -> Party,
    mut params: Params,
) -> Result<Response, ApiError> {
    let id = integer("id", id, 1..=i64::MAX)?;
    let asked = Asked::take(&mut params)?;
    params.finish()?;
    let party = party(id);
    let computed = compute(state, id, party, asked);
    answer(state, ("summary", party, asked), computed).await
}

async fn compute(
    state: &ApiState,
    id: i64,
    party: Party,
    asked: Asked,
) -> Result<Summary, ApiError> {
    let question = asked.question(state.clock.now(), LENGTH)?;
    let read = reading(state, ADVICE, |conn| {
        Box::pin(summary::of(conn, party, question))
    });
    let summary = read.await?;
    let (kills, losses) = (summary.kills, summary.losses);
    let hours = kills.by_hour.iter().zip(&losses.by_hour);
    Ok(Summary {
        id,
        name: summary.name,
        ticker: summary.ticker,
        from: question.window.from,
        to: question.window.to,
        active_hours: hours.map(|(kills, losses)| kills + losses).collect(),
        kills: kills.into(),
        losses: losses.into(),
    })
}
