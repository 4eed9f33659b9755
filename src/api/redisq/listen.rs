//! `GET /listen.php`: waits for a queue's next package.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use tokio::time::timeout;

use super::desk::{Desk, QUEUE_BUSY};
use super::filter::PackageFilter;
use super::object::NOTHING;
use super::package::Package;
use super::parameters::ListenParameters;
use crate::api::docs::answers::{BadRequest, Failures, ProblemDocument};
use crate::api::docs::tags::UPSTREAM;
use crate::api::extract::{Params, PeerAddress};
use crate::api::{ApiError, ApiState};
use crate::domain::{FeedSequence, Filter, wire};
use crate::feed::{Error as FeedError, FeedEvent};
use crate::store::feed::FeedKind;
use crate::store::{Error as StoreError, killmails, queues};

/// Longest name of a queue, as killmail.stream has it.
const MAX_QUEUE_ID_BYTES: usize = 128;

/// Longest wait, seconds; the default too.
const MAX_WAIT_SECONDS: i64 = 10;

/// Longest memory of a queue after its last poll, seconds: 3 hours; the default too.
const MAX_MEMORY_SECONDS: i64 = 10_800;

/// Events that are held against a filter before other tasks have their turn.
const EVENTS_AT_ONCE: usize = 64;

/// What a poll asks for.
#[derive(Debug, PartialEq, Eq)]
struct Poll {
    queue_id: String,
    wait: Duration,
    memory: TimeDelta,
    filter: PackageFilter,
}

impl Poll {
    /// Reads the parameters; numbers out of range are brought within it, as RedisQ did.
    fn read(mut params: Params) -> Result<Self, ApiError> {
        let queue_id = params.take("queueID")?.unwrap_or_default();
        if queue_id.is_empty() {
            return Err(ApiError::TooManyRequests {
                reason: "queueID is missing",
            });
        }
        if queue_id.len() > MAX_QUEUE_ID_BYTES || queue_id.chars().any(char::is_control) {
            let allowed = "at most 128 bytes without control characters";
            return Err(ApiError::bad_parameter("queueID", &queue_id, allowed));
        }
        let wait = seconds(&mut params, "ttw", MAX_WAIT_SECONDS)?;
        let memory = seconds(&mut params, "ttl", MAX_MEMORY_SECONDS)?;
        let filter = params.take("filter")?.unwrap_or_default();
        let filter = PackageFilter::parse(&filter)
            .map_err(|allowed| ApiError::bad_parameter("filter", &filter, allowed))?;
        Ok(Self {
            queue_id,
            wait: Duration::from_secs(wait.unsigned_abs()),
            memory: TimeDelta::seconds(memory),
            filter,
        })
    }
}

/// A number from 1 to `most`, which also stands for what is absent or no number.
fn seconds(params: &mut Params, field: &str, most: i64) -> Result<i64, ApiError> {
    let value = params.take(field)?;
    let number = value.and_then(|value| value.trim().parse::<i64>().ok());
    Ok(number.unwrap_or(most).clamp(1, most))
}

/// Serves one poll.
///
/// # Errors
/// 429, a filter that is none, too many streams or queues, the database.
#[utoipa::path(
    get,
    path = "/listen.php",
    operation_id = "listen_to_redisq",
    tag = UPSTREAM,
    summary = "Waits for a queue's next package, as RedisQ had it",
    description = "A new queue starts at the newest event, gets each new killmail once and no updates. Delivery is \
        at most once: the queue moves when the redirect is written. Other parameters are passed over.",
    params(ListenParameters),
    responses(
        (status = 302, description = "To the package, or to none after `ttw` seconds.",
            headers(("Location" = String, description = "`/object.php?objectID=…`."))),
        BadRequest,
        (status = 429, description = "`too_many_requests`: no `queueID`, another poll of the same queue is under way, \
            or more than two polls a second from one address.", body = ProblemDocument,
            content_type = "application/problem+json",
            headers(("Retry-After" = u16, description = "Seconds after which another try makes sense."))),
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    Extension(desk): Extension<Arc<Desk>>,
    PeerAddress(address): PeerAddress,
    method: Method,
    params: Params,
) -> Result<Response, ApiError> {
    if method != Method::GET {
        return Ok(only_get(&method));
    }
    let poll = Poll::read(params)?;
    desk.count(address)?;
    let _turn = desk.enter(&poll.queue_id)?;
    let _permit = state.admission.stream(address)?;
    let object = take(&state, &poll).await?;
    let object = object.map_or_else(|| NOTHING.to_owned(), |sequence| sequence.to_string());
    let headers = [
        (header::LOCATION, format!("/object.php?objectID={object}")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// 405: a `HEAD`, which the route of a `GET` takes too, would move the queue past a package that nobody gets.
fn only_get(method: &Method) -> Response {
    let error = ApiError::MethodNotAllowed {
        method: method.to_string(),
    };
    ([(header::ALLOW, "GET")], error).into_response()
}

/// The queue's next event, after which it then stands; `None` when none came in time or the service stops.
async fn take(state: &ApiState, poll: &Poll) -> Result<Option<FeedSequence>, ApiError> {
    let limit = state.limits.request_timeout;
    let start = timeout(limit, enter(state, poll))
        .await
        .map_err(|_| ApiError::Timeout)??;
    let mut cursor = start;
    let found = tokio::select! {
        found = timeout(poll.wait, search(state, poll, &mut cursor)) => found.unwrap_or(Ok(None))?,
        () = state.shutdown.cancelled() => None,
    };
    let now = state.clock.now();
    let moved = queues::advance(
        &state.store.pool,
        &poll.queue_id,
        start,
        cursor,
        now,
        now + poll.memory,
    );
    let moved = timeout(limit, moved)
        .await
        .map_err(|_| ApiError::Timeout)??;
    if moved { Ok(found) } else { Err(QUEUE_BUSY) }
}

/// Where the queue stands; a new one at the newest event.
async fn enter(state: &ApiState, poll: &Poll) -> Result<FeedSequence, StoreError> {
    let failed = |source| StoreError::Query {
        operation: "finding a queue",
        source,
    };
    let now = state.clock.now();
    // Not to be forgotten while the poll waits.
    let forget_at = now + poll.memory + TimeDelta::seconds(MAX_WAIT_SECONDS);
    let head = state.feed.bounds().head;
    let mut transaction = state.store.pool.begin().await.map_err(failed)?;
    let start = queues::enter(&mut transaction, &poll.queue_id, head, now, forget_at).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(start)
}

/// Reads on from `cursor` until an event goes through, and leaves `cursor` after the last event it has
/// judged; ends only by that. A cursor the log does not serve any more goes on where the log does.
async fn search(
    state: &ApiState,
    poll: &Poll,
    cursor: &mut FeedSequence,
) -> Result<Option<FeedSequence>, ApiError> {
    let mut reader = state.feed.reader(Some(*cursor), Filter::default());
    loop {
        let batch = match reader.next(EVENTS_AT_ONCE, poll.wait).await {
            Ok(batch) => batch,
            Err(FeedError::Expired { floor: end, .. } | FeedError::Ahead { head: end, .. }) => {
                *cursor = end;
                reader = state.feed.reader(Some(end), Filter::default());
                continue;
            }
            Err(error @ (FeedError::Store(_) | FeedError::Closed)) => return Err(error.into()),
        };
        for event in &batch.events {
            let goes_through = goes_through(state, &poll.filter, event).await?;
            *cursor = event.sequence;
            if goes_through {
                return Ok(Some(event.sequence));
            }
        }
        *cursor = batch.cursor;
        tokio::task::yield_now().await;
    }
}

/// Whether an event is a new killmail that the filter lets through. One that can't be read goes through no
/// filter.
async fn goes_through(
    state: &ApiState,
    filter: &PackageFilter,
    event: &FeedEvent,
) -> Result<bool, ApiError> {
    if event.kind != FeedKind::New {
        return Ok(false);
    }
    if filter.is_everything() {
        return Ok(true);
    }
    let items = if filter.needs_items() {
        killmails::get(&state.store.pool, event.killmail_id, true)
            .await?
            .and_then(|stored| stored.items)
    } else {
        None
    };
    let document = String::from_utf8_lossy(&event.document);
    let killmail = match wire::read(&document, items.as_deref()) {
        Ok(killmail) => killmail,
        Err(error) => {
            tracing::warn!(killmail_id = event.killmail_id, %error, "a stored document can't be read");
            return Ok(false);
        }
    };
    let package =
        serde_json::to_value(Package::of(&killmail)).map_err(|source| ApiError::Document {
            killmail_id: event.killmail_id,
            source,
        })?;
    Ok(filter.matches(&package))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(query: &str) -> Result<Poll, ApiError> {
        Poll::read(Params::parse(query))
    }

    #[rstest]
    #[case("queueID=a", 10, 10_800)]
    #[case("queueID=a&ttw=1&ttl=1&unknown=5&esi=y", 1, 1)]
    #[case("queueID=a&ttw=0&ttl=0", 1, 1)]
    #[case("queueID=a&ttw=11&ttl=10801", 10, 10_800)]
    #[case("queueID=a&ttw=x&ttl=", 10, 10_800)]
    fn numbers_are_brought_within_range(
        #[case] query: &str,
        #[case] wait: u64,
        #[case] memory: i64,
    ) {
        let poll = read(query).unwrap();
        assert_eq!(poll.wait, Duration::from_secs(wait));
        assert_eq!(poll.memory, TimeDelta::seconds(memory));
    }

    #[rstest]
    #[case("", 429)]
    #[case("queueID=", 429)]
    #[case("queueid=a", 429)]
    #[case("queueID=a%00", 400)]
    #[case("queueID=a&queueID=b", 400)]
    #[case("queueID=a&filter=npc", 400)]
    #[case("queueID=a&filter=a=1;b=2,c=3", 400)]
    fn wrong_polls_are_refused(#[case] query: &str, #[case] status: u16) {
        assert_eq!(read(query).unwrap_err().status().as_u16(), status);
    }

    #[test]
    fn a_name_ends_at_128_bytes() {
        assert!(read(&format!("queueID={}", "x".repeat(128))).is_ok());
        assert!(read(&format!("queueID={}", "x".repeat(129))).is_err());
    }
}
