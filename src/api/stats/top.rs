//! `GET /api/stats/top`: what occurs in most killmails of a window.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::TopParameters;
use super::read::{Asked, Length, answer, reading};
use crate::api::docs::answers::{BadRequest, Failures, QueryTooBroad};
use crate::api::docs::tags::STATISTICS;
use crate::api::extract::Params;
use crate::api::{ApiError, ApiState};
use crate::store::stats::Scope;
use crate::store::stats::top::{self, Subject, TopEntry};
use crate::store::stats::valuable::{self, MOST_VALUABLE, ValuableKillmail};

/// A year of characters everywhere takes seconds.
const LENGTH: Length = Length {
    default: TimeDelta::days(30),
    whole: TimeDelta::days(1),
    most_days: 366,
};
const DEFAULT_ENTRIES: i64 = 10;
const ADVICE: &str = "bring from and to closer together, or add region or system";

const LISTS: [(&str, Option<Subject>); 7] = [
    ("systems", Some(Subject::System)),
    ("ships_lost", Some(Subject::ShipLost)),
    ("ships_used", Some(Subject::ShipUsed)),
    ("characters", Some(Subject::Character)),
    ("corporations", Some(Subject::Corporation)),
    ("alliances", Some(Subject::Alliance)),
    (MOST_VALUABLE_LIST, None),
];
const MOST_VALUABLE_LIST: &str = "most_valuable";

/// What occurs in most killmails of a window.
#[derive(Serialize, ToSchema)]
struct Top {
    /// The list that was asked for.
    list: &'static str,
    /// Beginning of the window, itself included.
    from: DateTime<Utc>,
    /// Its end, itself excluded.
    to: DateTime<Utc>,
    /// Most killmails first, then most ISK, then the lower id. Empty for `most_valuable`.
    entries: Vec<Entry>,
    /// For `most_valuable`: the greatest value first, then the lower id.
    killmails: Vec<Valuable>,
}

/// A system, ship type, character, corporation or alliance.
#[derive(Serialize, ToSchema)]
#[schema(as = TopEntry)]
struct Entry {
    id: i64,
    /// Null where it is not known.
    #[schema(required = true)]
    name: Option<String>,
    /// Killmails with it, each once.
    killmails: i64,
    /// What they were worth together, ISK. Those without a value count as 0.
    isk: f64,
    /// How many of them have no value.
    without_value: i64,
}

/// A killmail with its value. What is not known of it is null.
#[derive(Serialize, ToSchema)]
#[schema(as = ValuableKillmail)]
struct Valuable {
    killmail_id: i64,
    killmail_time: DateTime<Utc>,
    solar_system_id: i64,
    #[schema(required = true)]
    solar_system_name: Option<String>,
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
    corporation_id: Option<i64>,
    #[schema(required = true)]
    corporation_name: Option<String>,
    total_value: f64,
}

impl From<TopEntry> for Entry {
    fn from(entry: TopEntry) -> Self {
        Self {
            id: entry.id,
            name: entry.name,
            killmails: entry.tally.killmails,
            isk: entry.tally.isk,
            without_value: entry.tally.without_value,
        }
    }
}

impl From<ValuableKillmail> for Valuable {
    fn from(killmail: ValuableKillmail) -> Self {
        Self {
            killmail_id: killmail.killmail_id,
            killmail_time: killmail.killmail_time,
            solar_system_id: killmail.solar_system_id,
            solar_system_name: killmail.solar_system_name,
            ship_type_id: killmail.ship_type_id,
            ship_name: killmail.ship_name,
            character_id: killmail.character_id,
            character_name: killmail.character_name,
            corporation_id: killmail.corporation_id,
            corporation_name: killmail.corporation_name,
            total_value: killmail.total_value,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Request {
    list: &'static str,
    subject: Option<Subject>,
    scope: Scope,
    asked: Asked,
    limit: i64,
}

/// Serves a list.
///
/// # Errors
/// 400 for a parameter that can't be understood, 422 when it takes too long, 503 when too many are at work; the
/// database.
#[utoipa::path(
    get,
    path = "/api/stats/top",
    operation_id = "get_top",
    tag = STATISTICS,
    summary = "Top systems, ships, pilots, corporations, alliances and killmails",
    description = "By killmails in a window of 366 days at most, everywhere or in a region or system. An answer may be \
        ten seconds old.",
    params(TopParameters),
    responses(
        (status = 200, description = "The list.", body = Top),
        BadRequest,
        QueryTooBroad,
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Response, ApiError> {
    let request = Request::read(params)?;
    answer(&state, ("top", request), request.compute(&state)).await
}

impl Request {
    fn read(mut params: Params) -> Result<Self, ApiError> {
        let list = params.take("list")?.unwrap_or_default();
        let Some((list, subject)) = LISTS.into_iter().find(|(name, _)| *name == list) else {
            let allowed = LISTS.map(|(name, _)| name).join(", ");
            return Err(ApiError::bad_parameter("list", &list, allowed));
        };
        let region = params.integer("region", 1..=i64::MAX)?;
        let system = params.integer("system", 1..=i64::MAX)?;
        let scope = match (region, system) {
            (None, None) => Scope::Everywhere,
            (Some(region), None) => Scope::Region(region),
            (None, Some(system)) => Scope::System(system),
            (Some(_), Some(system)) => {
                let allowed = "absent where region is there";
                return Err(ApiError::bad_parameter(
                    "system",
                    &system.to_string(),
                    allowed,
                ));
            }
        };
        let asked = Asked::take(&mut params)?;
        let limit = params.integer("limit", 1..=MOST_VALUABLE)?;
        params.finish()?;
        Ok(Self {
            list,
            subject,
            scope,
            asked,
            limit: limit.unwrap_or(DEFAULT_ENTRIES),
        })
    }

    async fn compute(self, state: &ApiState) -> Result<Top, ApiError> {
        let question = self.asked.question(state.clock.now(), LENGTH)?;
        let (scope, limit) = (self.scope, self.limit);
        let (mut entries, mut killmails) = (Vec::new(), Vec::new());
        if let Some(subject) = self.subject {
            let read = reading(state, ADVICE, |conn| {
                Box::pin(top::entries(conn, subject, scope, question, limit))
            });
            entries = read.await?;
        } else {
            let read = reading(state, ADVICE, |conn| {
                Box::pin(valuable::killmails(conn, scope, question, limit))
            });
            killmails = read.await?;
        }
        Ok(Top {
            list: self.list,
            from: question.window.from,
            to: question.window.to,
            entries: entries.into_iter().map(Entry::from).collect(),
            killmails: killmails.into_iter().map(Valuable::from).collect(),
        })
    }
}
