//! `GET /health` and `GET /api/health`: whether this process can do its work.
//!
//! `{"healthy":bool,"status":"ok"|"degraded"|"error","details":{"database","feed","ingest"},"timestamp"}`;
//! 200, or 503 when the database can't be reached, the feed's tail has stopped looking at the log, or this process
//! is the one that follows the live source and leaves it alone for a while: `details.ingest` then has
//! `healthy:false`, a `reason` (`breaker_open`: it kept failing; `banned`: it refuses this address) and `until`,
//! when it is asked again. What is stored is served all the same; `/ping` says whether the process lives.
//! `degraded` still serves: the feed is behind the log. Counts of dead letters and gaps end at
//! [`MAX_COUNTED`](crate::store::health::MAX_COUNTED).

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::shapes::Health;
use crate::api::docs::answers::ProblemDocument;
use crate::api::docs::tags::OPERATION;
use crate::api::limits::{FEED_LAG_DEGRADED, HEALTH_TIMEOUT, SILENT_TAIL};
use crate::api::{ApiState, LiveObstacle};
use crate::feed::Status;
use crate::store::feed::Bounds;
use crate::store::health::IngestStatus;

/// What the database said.
type Seen = (Bounds, IngestStatus);

/// How the parts of this process stand.
struct Standing {
    feed: Status,
    live: Option<LiveObstacle>,
}

/// Looks at the database, the feed and the sources.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "get_health",
    tag = OPERATION,
    summary = "Whether this process can do its work",
    description = "`degraded` still serves: the feed is behind the log. Never waits for a place among the requests.",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "The database can't be reached, the feed has stopped looking at the log, or this process follows the live source and has to leave it alone.",
            body = Health),
        (status = 500, description = "`internal`: an error of ours.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(State(state): State<ApiState>) -> Response {
    let seen = match timeout(HEALTH_TIMEOUT, look(&state)).await {
        Ok(Ok(seen)) => Some(seen),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the health check could not use the database");
            None
        }
        Err(_) => {
            tracing::warn!("the health check got no answer from the database");
            None
        }
    };
    let standing = Standing {
        feed: state.feed.status(),
        live: state.live.obstacle(),
    };
    let (healthy, body) = report(seen.as_ref(), &standing, state.clock.now());
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// The same where one of WandererKills' clients looks for it.
#[utoipa::path(
    get,
    path = "/api/health",
    operation_id = "get_api_health",
    tag = OPERATION,
    summary = "Whether this process can do its work",
    description = "`degraded` still serves: the feed is behind the log. The same as `/health`.",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "The database can't be reached, the feed has stopped looking at the log, or this process follows the live source and has to leave it alone.",
            body = Health),
        (status = 500, description = "`internal`: an error of ours.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle_api(state: State<ApiState>) -> Response {
    handle(state).await
}

async fn look(state: &ApiState) -> crate::store::Result<Seen> {
    let pool = &state.store.pool;
    let bounds = crate::store::feed::bounds(pool).await?;
    let mut connection = pool.acquire().await.map_err(unreachable_database)?;
    let ingest = crate::store::health::ingest_status(&mut connection).await?;
    Ok((bounds, ingest))
}

fn unreachable_database(source: sqlx::Error) -> crate::store::Error {
    crate::store::Error::Query {
        operation: "checking the database's health",
        source,
    }
}

fn report(seen: Option<&Seen>, standing: &Standing, now: DateTime<Utc>) -> (bool, Value) {
    let Standing { feed, live } = standing;
    let lag = seen.map(|(log, _)| (log.head.0 - feed.head.0).max(0));
    let behind = lag.is_some_and(|lag| lag > FEED_LAG_DEGRADED);
    let looking = is_looking(feed, now);
    let healthy = seen.is_some() && looking && live.is_none();
    let status = match (healthy, behind) {
        (false, _) => "error",
        (true, true) => "degraded",
        (true, false) => "ok",
    };
    let body = json!({
        "healthy": healthy,
        "status": status,
        "details": {
            "database": { "healthy": seen.is_some() },
            "feed": {
                "healthy": looking && !behind,
                "head": feed.head,
                "floor": feed.floor,
                "lag_events": lag,
                "listening": feed.listening,
                "readers": feed.readers,
                "last_look": feed.last_look.map(text),
            },
            "ingest": seen.map(|(_, ingest)| ingest_details(ingest, *live, now)),
        },
        "timestamp": text(now),
    });
    (healthy, body)
}

/// Whether the tail has read the log lately.
fn is_looking(feed: &Status, now: DateTime<Utc>) -> bool {
    let patience = feed
        .look_every
        .saturating_mul(2)
        .saturating_add(SILENT_TAIL);
    // A look that lies ahead of now is a clock that was set back.
    feed.last_look.is_some_and(|last| {
        (now - last).to_std().is_ok_and(|since| since <= patience) || last > now
    })
}

fn ingest_details(ingest: &IngestStatus, live: Option<LiveObstacle>, now: DateTime<Utc>) -> Value {
    let sources: Vec<Value> = ingest
        .sources
        .iter()
        .map(|source| {
            json!({
                "source": source.source,
                "position": source.position,
                "updated_at": text(source.updated_at),
                "age_seconds": (now - source.updated_at).num_seconds().max(0),
                "open_gaps": source.open_gaps,
            })
        })
        .collect();
    json!({
        "healthy": live.is_none(),
        "reason": live.map(|obstacle| obstacle.reason),
        "until": live.map(|obstacle| text(obstacle.until)),
        "sources": sources,
        "newest_killmail": ingest.newest_killmail.map(text),
        "dead_letters": ingest.dead_letters,
    })
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::FeedSequence;
    use crate::store::health::SourceStatus;

    fn seen(head: i64, sources: Vec<SourceStatus>) -> Seen {
        let bounds = Bounds {
            floor: FeedSequence(0),
            head: FeedSequence(head),
        };
        let ingest = IngestStatus {
            sources,
            dead_letters: 0,
            newest_killmail: None,
        };
        (bounds, ingest)
    }

    fn feed() -> Status {
        Status {
            head: FeedSequence(10),
            floor: FeedSequence(0),
            ring_events: 10,
            ring_bytes: 1,
            readers: 3,
            listening: true,
            last_look: DateTime::from_timestamp(1_780_000_060, 0),
            look_every: Duration::from_secs(1),
        }
    }

    fn well() -> Standing {
        Standing {
            feed: feed(),
            live: None,
        }
    }

    fn status(seen: Option<&Seen>) -> (bool, String) {
        status_at(seen, 1_780_000_061)
    }

    fn status_at(seen: Option<&Seen>, seconds: i64) -> (bool, String) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let (healthy, body) = report(seen, &well(), now);
        (healthy, body["status"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_tail_that_does_not_look_is_an_error() {
        let seen = seen(10, vec![]);
        for (seconds, healthy) in [(-100, true), (0, true), (32, true), (33, false)] {
            let (is_healthy, _) = status_at(Some(&seen), 1_780_000_060 + seconds);
            assert_eq!(is_healthy, healthy, "{seconds} s after the last look");
        }
        let never = Status {
            last_look: None,
            ..feed()
        };
        assert!(!is_looking(&never, DateTime::<Utc>::MIN_UTC));
    }

    #[test]
    fn the_database_decides_and_lag_degrades() {
        assert_eq!(status(None), (false, "error".into()));
        assert_eq!(status(Some(&seen(10, vec![]))), (true, "ok".into()));
        assert_eq!(
            status(Some(&seen(5_000, vec![]))),
            (true, "degraded".into())
        );
    }

    #[test]
    fn a_live_source_that_is_left_alone_is_an_error() {
        let until = DateTime::from_timestamp(1_780_003_600, 0).unwrap();
        let standing = Standing {
            live: Some(LiveObstacle {
                reason: "banned",
                until,
            }),
            ..well()
        };
        let now = DateTime::from_timestamp(1_780_000_061, 0).unwrap();
        let (healthy, body) = report(Some(&seen(10, vec![])), &standing, now);
        let ingest = &body["details"]["ingest"];
        assert_eq!((healthy, &body["status"]), (false, &json!("error")));
        assert_eq!(
            (&ingest["healthy"], &ingest["reason"], &ingest["until"]),
            (
                &json!(false),
                &json!("banned"),
                &json!("2026-05-28T21:26:40.000000Z")
            )
        );
    }

    #[test]
    fn the_shape_is_the_one_that_monitors_know() {
        let source = SourceStatus {
            source: "r2z2".into(),
            position: Some(7),
            updated_at: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
            open_gaps: 2,
        };
        let now = DateTime::from_timestamp(1_780_000_061, 0).unwrap();
        let (_, body) = report(Some(&seen(12, vec![source])), &well(), now);
        insta::assert_json_snapshot!(body, @r#"
        {
          "details": {
            "database": {
              "healthy": true
            },
            "feed": {
              "floor": 0,
              "head": 10,
              "healthy": true,
              "lag_events": 2,
              "last_look": "2026-05-28T20:27:40.000000Z",
              "listening": true,
              "readers": 3
            },
            "ingest": {
              "dead_letters": 0,
              "healthy": true,
              "newest_killmail": null,
              "reason": null,
              "sources": [
                {
                  "age_seconds": 61,
                  "open_gaps": 2,
                  "position": 7,
                  "source": "r2z2",
                  "updated_at": "2026-05-28T20:26:40.000000Z"
                }
              ],
              "until": null
            }
          },
          "healthy": true,
          "status": "ok",
          "timestamp": "2026-05-28T20:27:41.000000Z"
        }
        "#);
    }
}
