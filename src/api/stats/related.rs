//! `GET /api/stats/related/{killmail_id}`: the battle that a killmail belongs to, with its sides.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::RelatedParameters;
use super::read::{answer, reading};
use super::tally::Tally;
use crate::api::docs::answers::{BadRequest, Failures, ProblemDocument, QueryTooBroad};
use crate::api::docs::tags::STATISTICS;
use crate::api::extract::{Params, integer};
use crate::api::{ApiError, ApiState};
use crate::domain::battle::{self, Engagement, Group, Side};
use crate::store::stats::related::{self, Related, RelatedKillmail};

/// Longest time before and after the killmail, minutes: what is longer ago is another fight.
const MOST_MINUTES: i64 = 240;
const DEFAULT_MINUTES: i64 = 30;
const ADVICE: &str = "ask for fewer minutes";

/// A battle: the killmails of a system around the time of one of them.
#[derive(Serialize, ToSchema)]
struct Battle {
    /// The killmail that was asked for.
    killmail_id: i64,
    solar_system_id: i64,
    /// Null where it is not known.
    #[schema(required = true)]
    solar_system_name: Option<String>,
    /// The window, both ends included.
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// There are more than a thousand killmails; these are the nearest in time.
    truncated: bool,
    /// `first`, which has the victim of the killmail where it is of either side, `second`, and `neither`.
    #[schema(min_items = 3, max_items = 3)]
    sides: Vec<BattleSide>,
    /// In order of time.
    killmails: Vec<BattleKillmail>,
}

/// A side, or those of neither.
#[derive(Serialize, ToSchema)]
struct BattleSide {
    /// `first`, `second` or `neither`.
    side: &'static str,
    /// Killmails of others with an attacker of the side.
    kills: Tally,
    /// Killmails of the side's own.
    losses: Tally,
    /// Those with most kills and losses first.
    groups: Vec<BattleGroup>,
}

/// An alliance, a corporation without one, or a faction without either.
#[derive(Serialize, ToSchema)]
struct BattleGroup {
    /// `alliance`, `corporation` or `faction`.
    kind: &'static str,
    id: i64,
    /// Null where it is not known.
    #[schema(required = true)]
    name: Option<String>,
    /// Killmails with an attacker of the group.
    kills: i64,
    /// Killmails of its own.
    losses: i64,
}

/// A killmail of the battle. What is not known of it is null.
#[derive(Serialize, ToSchema)]
struct BattleKillmail {
    killmail_id: i64,
    killmail_time: DateTime<Utc>,
    /// The victim's side: `first`, `second` or `neither`.
    side: &'static str,
    #[schema(required = true)]
    ship_type_id: Option<i64>,
    #[schema(required = true)]
    ship_name: Option<String>,
    /// The victim.
    #[schema(required = true)]
    character_id: Option<i64>,
    #[schema(required = true)]
    character_name: Option<String>,
    #[schema(required = true)]
    total_value: Option<f64>,
}

/// Serves the battle.
///
/// # Errors
/// 400 for a parameter that can't be understood, 404 where the killmail is not stored, 422 when it takes too long, 503
/// when too many are at work; the database.
#[utoipa::path(
    get,
    path = "/api/stats/related/{killmail_id}",
    operation_id = "get_related",
    tag = STATISTICS,
    summary = "The battle a killmail belongs to",
    description = "Killmails of the same system around the same time, at most a thousand, and who fought on which side, \
        told from who shot with whom and at whom. An answer may be ten seconds old.",
    params(
        ("killmail_id" = i64, Path, minimum = 1, description = "One of its killmails.", example = 131_234_567),
        RelatedParameters,
    ),
    responses(
        (status = 200, description = "The battle.", body = Battle),
        BadRequest,
        (status = 404, description = "`killmail_not_found`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        QueryTooBroad,
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let killmail_id = integer("killmail_id", &id, 1..=i64::MAX)?;
    let minutes = params.integer("minutes", 1..=MOST_MINUTES)?;
    params.finish()?;
    let minutes = minutes.unwrap_or(DEFAULT_MINUTES);
    let computed = compute(&state, killmail_id, TimeDelta::minutes(minutes));
    answer(&state, ("related", killmail_id, minutes), computed).await
}

async fn compute(
    state: &ApiState,
    killmail_id: i64,
    around: TimeDelta,
) -> Result<Battle, ApiError> {
    let read = reading(state, ADVICE, |conn| {
        Box::pin(async move {
            let Some(related) = related::of(conn, killmail_id, around).await? else {
                return Ok(None);
            };
            let sides = sides(&related, killmail_id);
            let groups: Vec<Group> = sides.keys().copied().collect();
            let names = related::names(conn, &groups).await?;
            Ok(Some((related, sides, names)))
        })
    });
    let read = read.await?;
    let (related, sides, names) = read.ok_or(ApiError::KillmailNotFound { killmail_id })?;
    let names: BTreeMap<Group, String> = names.into_iter().collect();
    let time = related.killmail_time;
    Ok(Battle {
        killmail_id,
        solar_system_id: related.solar_system_id,
        solar_system_name: related.solar_system_name,
        from: time - around,
        to: time + around,
        truncated: related.is_truncated,
        sides: [Side::First, Side::Second, Side::Neither]
            .map(|side| summed(side, &sides, &names, &related.killmails))
            .into(),
        killmails: related
            .killmails
            .into_iter()
            .map(|killmail| shown(killmail, &sides))
            .collect(),
    })
}

type Sides = BTreeMap<Group, Side>;

fn sides(related: &Related, killmail_id: i64) -> Sides {
    let killmails = &related.killmails;
    let asked = killmails.iter().find(|it| it.killmail_id == killmail_id);
    let engagements: Vec<Engagement> = killmails
        .iter()
        .map(|killmail| Engagement {
            attackers: killmail.attackers.clone(),
            victim: killmail.group,
        })
        .collect();
    battle::sides(&engagements, asked.and_then(|killmail| killmail.group))
}

fn side_of(group: Option<Group>, sides: &Sides) -> Side {
    group
        .and_then(|group| sides.get(&group).copied())
        .unwrap_or(Side::Neither)
}

fn word(side: Side) -> &'static str {
    match side {
        Side::First => "first",
        Side::Second => "second",
        Side::Neither => "neither",
    }
}

fn summed(
    side: Side,
    sides: &Sides,
    names: &BTreeMap<Group, String>,
    killmails: &[RelatedKillmail],
) -> BattleSide {
    let (mut kills, mut losses) = (Tally::default(), Tally::default());
    let mut groups: BTreeMap<Group, (i64, i64)> = BTreeMap::new();
    let of_side = |group: &Group| sides.get(group) == Some(&side);
    groups.extend(
        sides
            .keys()
            .copied()
            .filter(of_side)
            .map(|group| (group, (0, 0))),
    );
    for killmail in killmails {
        let is_own = side_of(killmail.group, sides) == side;
        if is_own {
            add(&mut losses, killmail);
        } else if killmail.attackers.iter().any(of_side) {
            add(&mut kills, killmail);
        }
        for group in &killmail.attackers {
            if let Some((kills, _)) = groups.get_mut(group) {
                *kills += 1;
            }
        }
        if let Some((_, losses)) = killmail.group.and_then(|group| groups.get_mut(&group)) {
            *losses += 1;
        }
    }
    let mut groups: Vec<BattleGroup> = groups
        .into_iter()
        .map(|(group, (kills, losses))| BattleGroup {
            kind: group.kind.as_str(),
            id: group.id,
            name: names.get(&group).cloned(),
            kills,
            losses,
        })
        .collect();
    // Stable: equals stay in order of kind and id.
    groups.sort_by_key(|group| -(group.kills + group.losses));
    BattleSide {
        side: word(side),
        kills,
        losses,
        groups,
    }
}

fn add(tally: &mut Tally, killmail: &RelatedKillmail) {
    tally.killmails += 1;
    match killmail.total_value {
        Some(value) => tally.isk += value,
        None => tally.without_value += 1,
    }
}

fn shown(killmail: RelatedKillmail, sides: &Sides) -> BattleKillmail {
    BattleKillmail {
        killmail_id: killmail.killmail_id,
        killmail_time: killmail.killmail_time,
        side: word(side_of(killmail.group, sides)),
        ship_type_id: killmail.ship_type_id,
        ship_name: killmail.ship_name,
        character_id: killmail.character_id,
        character_name: killmail.character_name,
        total_value: killmail.total_value,
    }
}
