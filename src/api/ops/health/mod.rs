//! `GET /health` and `GET /api/health`: whether this process can do its work, part by part.
//!
//! `{"healthy":bool,"status":"ok"|"degraded"|"error","details":{…},"timestamp"}`; 503 with `error` for what a restart
//! or an operator can mend, else 200. `degraded` works, but not as it should.
//!
//! | part | `error` | `degraded` |
//! |---|---|---|
//! | `database` | it can't be reached | |
//! | `feed` | its tail has stopped looking at the log | it is far behind the log |
//! | `ingest` | this process follows the live source and leaves it alone (`breaker_open`: it kept failing; `banned`: it refuses this address; then with `until`), or is stuck (`no_answer`) | nothing new has come for long, daily downtimes aside (`stale`) |
//! | `enrichment` | | ship types or systems are not loaded (`no_reference_data`), or ESI can't be asked outside of its downtime (`esi_unavailable`) |
//! | `webhooks` | | one that does not fail is far behind |
//! | `replica` | | there is one, and queries go to the primary instead: it does not answer or is too far behind |
//! | `disk` | the private database's disk is full but for a little | there is little room |
//!
//! What is stored is served all the same. Counts of dead letters, gaps and pending documents end at
//! [`MAX_COUNTED`](crate::store::health::MAX_COUNTED).

pub(super) mod probes;
mod report;
mod shapes;
mod staleness;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::timeout;

use crate::api::ApiState;
use crate::api::docs::answers::ProblemDocument;
use crate::api::docs::tags::OPERATION;
use crate::api::limits::HEALTH_TIMEOUT;
use crate::store::reads::Reads;
use report::{Replica, Seen, Standing, report};
use shapes::Health;

/// Looks at the parts.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "get_health",
    tag = OPERATION,
    summary = "Whether this process can do its work",
    description = "`degraded` works, but not as it should. Never waits for a place among the requests.",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "A restart or an operator has to mend something: `details` says which part.",
            body = Health),
        (status = 500, description = "`internal`: an error of ours.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(State(state): State<ApiState>) -> Response {
    let seen = in_time(look(&state)).await;
    let standing = Standing {
        feed: state.feed.status(),
        live: state.probes.live.ask(),
        esi: state.probes.esi.ask(),
        replica: replica(&state.store.reads),
        disk: state.probes.disk.ask(),
    };
    let (healthy, body) = report(seen.as_ref(), &standing, state.clock.now());
    answer(healthy, body)
}

/// The same where one of WandererKills' clients looks for it.
#[utoipa::path(
    get,
    path = "/api/health",
    operation_id = "get_api_health",
    tag = OPERATION,
    summary = "Whether this process can do its work",
    description = "`degraded` works, but not as it should. The same as `/health`.",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "A restart or an operator has to mend something: `details` says which part.",
            body = Health),
        (status = 500, description = "`internal`: an error of ours.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle_api(state: State<ApiState>) -> Response {
    handle(state).await
}

fn replica(reads: &Reads) -> Option<Replica> {
    reads.has_replica().then(|| Replica {
        head: reads.replica_head(),
    })
}

/// What the database says, unless it does not in time.
async fn in_time<T>(look: impl Future<Output = crate::store::Result<T>>) -> Option<T> {
    match timeout(HEALTH_TIMEOUT, look).await {
        Ok(Ok(seen)) => Some(seen),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the health check could not use the database");
            None
        }
        Err(_) => {
            tracing::warn!("the health check got no answer from the database");
            None
        }
    }
}

async fn look(state: &ApiState) -> crate::store::Result<Seen> {
    let pool = &state.store.pool;
    let log = crate::store::feed::bounds(pool).await?;
    let mut connection = pool.acquire().await.map_err(unreachable_database)?;
    Ok(Seen {
        log,
        ingest: crate::store::health::ingest_status(&mut connection).await?,
        work: crate::store::health::work_status(&mut connection).await?,
    })
}

fn unreachable_database(source: sqlx::Error) -> crate::store::Error {
    crate::store::Error::Query {
        operation: "checking the database's health",
        source,
    }
}

fn answer(well: bool, body: Value) -> Response {
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
