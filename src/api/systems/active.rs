//! `GET /api/systems/active`: systems with kills within the last `hours`, the busiest first.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::parameters::ActiveSystemsParameters;
use crate::api::docs::answers::{BadRequest, Failures};
use crate::api::docs::tags::SYSTEMS;
use crate::api::extract::Params;
use crate::api::{ApiError, ApiState};
use crate::domain::SecurityBand;
use crate::store::active_systems;

/// A week; the count reads every kill of that time.
const MOST_HOURS: i64 = 168;
const DEFAULT_HOURS: i64 = 24;
/// More systems than have kills in most hours.
const MOST_SYSTEMS: i64 = 1000;
const DEFAULT_SYSTEMS: i64 = 100;

/// Systems with kills lately, the busiest first.
#[derive(Serialize, ToSchema)]
struct ActiveSystems {
    /// From when on kills are counted.
    #[serde(serialize_with = "seconds")]
    since: DateTime<Utc>,
    /// The busiest first.
    systems: Vec<ActiveSystem>,
}

/// A system with its kills. What is not known of it is null.
#[derive(Serialize, ToSchema)]
struct ActiveSystem {
    solar_system_id: i64,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(required = true)]
    constellation_id: Option<i64>,
    #[schema(required = true)]
    constellation_name: Option<String>,
    #[schema(required = true)]
    region_id: Option<i64>,
    #[schema(required = true)]
    region_name: Option<String>,
    #[schema(required = true)]
    security_status: Option<f64>,
    #[schema(required = true)]
    security_band: Option<SecurityBand>,
    kills: i64,
    total_value: f64,
    #[serde(serialize_with = "seconds")]
    last_kill_time: DateTime<Utc>,
}

impl From<active_systems::ActiveSystem> for ActiveSystem {
    fn from(system: active_systems::ActiveSystem) -> Self {
        Self {
            security_band: SecurityBand::of(system.solar_system_id, system.security_status),
            solar_system_id: system.solar_system_id,
            name: system.name,
            constellation_id: system.constellation_id,
            constellation_name: system.constellation_name,
            region_id: system.region_id,
            region_name: system.region_name,
            security_status: system.security_status,
            kills: system.kills,
            total_value: system.total_value,
            last_kill_time: system.last_kill_time,
        }
    }
}

fn seconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Serves the list. What is not known of a system is null.
///
/// # Errors
/// 400 for `hours` outside of 1 to 168 or `limit` outside of 1 to 1000; the database.
#[utoipa::path(
    get,
    path = "/api/systems/active",
    operation_id = "list_active_systems",
    tag = SYSTEMS,
    summary = "Systems with kills lately, the busiest first",
    description = "What is not known of a system is null.",
    params(ActiveSystemsParameters),
    responses((status = 200, description = "The systems.", body = ActiveSystems), BadRequest, Failures),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let hours = params.integer("hours", 1..=MOST_HOURS)?;
    let limit = params.integer("limit", 1..=MOST_SYSTEMS)?;
    params.finish()?;
    let _permit = state.admission.request()?;
    let since = state.clock.now() - TimeDelta::hours(hours.unwrap_or(DEFAULT_HOURS));
    let limit = limit.unwrap_or(DEFAULT_SYSTEMS);
    let pool = &state.store.reads.any().await.reads;
    let found = active_systems::since(pool, since, limit).await?;
    let systems = found.into_iter().map(ActiveSystem::from).collect();
    let headers = [(header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Json(ActiveSystems { since, systems })).into_response())
}
