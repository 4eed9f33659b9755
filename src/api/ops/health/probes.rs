//! `GET /health/live` and `GET /health/ready`, as orchestrators ask.
//!
//! Alive is who answers: only a restart helps who does not. Ready is who should get requests: the database answers
//! and is at this program's schema or a newer one, the feed is caught up with the log, and the process is not about to
//! stop.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::report::{is_looking, lag};
use super::shapes::{Liveness, Readiness};
use super::{answer, in_time, unreachable_database};
use crate::api::ApiState;
use crate::api::docs::answers::ProblemDocument;
use crate::api::docs::tags::OPERATION;
use crate::api::limits::FEED_LAG_DEGRADED;
use crate::store::feed::Bounds;

/// Answers.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "get_liveness",
    tag = OPERATION,
    summary = "Whether the process lives",
    description = "It does where this is answered; nothing else is looked at.",
    responses(
        (status = 200, description = "It does.", body = Liveness),
        (status = 500, description = "`internal`: an error of ours.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ),
)]
pub(in crate::api::ops) async fn live() -> Response {
    answer(true, json!({ "live": true }))
}

/// Looks whether requests should come here.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "get_readiness",
    tag = OPERATION,
    summary = "Whether requests should come here",
    description = "Never waits for a place among the requests.",
    responses(
        (status = 200, description = "They should.", body = Readiness),
        (status = 503, description = "Not now: `checks` says what is lacking.", body = Readiness),
        (status = 500, description = "`internal`: an error of ours.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ),
)]
pub(in crate::api::ops) async fn ready(State(state): State<ApiState>) -> Response {
    let seen = in_time(look(&state)).await;
    let feed = state.feed.status();
    let is_near = |log: &Bounds| lag(log, &feed) <= FEED_LAG_DEGRADED;
    let database = seen.is_some();
    let migrated = seen.as_ref().is_some_and(|(migrated, _)| *migrated);
    let caught_up =
        seen.as_ref().is_some_and(|(_, log)| is_near(log)) && is_looking(&feed, state.clock.now());
    let listening = !state.shutdown.is_cancelled();
    let ready = database && migrated && listening && caught_up;
    let checks = json!({
        "database": database,
        "migrated": migrated,
        "listening": listening,
        "caught_up": caught_up,
    });
    answer(ready, json!({ "ready": ready, "checks": checks }))
}

async fn look(state: &ApiState) -> crate::store::Result<(bool, Bounds)> {
    let pool = &state.store.pool;
    let mut connection = pool.acquire().await.map_err(unreachable_database)?;
    let migrated = crate::store::migrate::is_current(&mut *connection).await?;
    Ok((
        migrated,
        crate::store::feed::bounds(&mut *connection).await?,
    ))
}
