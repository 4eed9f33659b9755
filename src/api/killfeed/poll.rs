//! `GET /api/killfeed`: a page of the log after a cursor, at once or by long poll.
//!
//! | parameter | meaning |
//! |---|---|
//! | `after` | cursor: the `cursor` of the last page. Absent or 0: from the oldest event that is kept |
//! | `limit` | most events, 1 to 1000, default 100 |
//! | `wait` | seconds to wait for the first event, 0 to 60, default 0 |
//! | others | the filter ([`Filter::from_pairs`](crate::domain::Filter::from_pairs)) |
//!
//! 200 `{"events":[{"event_id","kind","system_id","killmail"}],"cursor":N,"has_more":bool}`; `cursor` moves
//! on over events that the filter leaves out. 410 `cursor_expired` with `oldest`, 409 `cursor_ahead` with
//! `head`. With `client_id` the server keeps the cursor, see [`super::client_id`].

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;

use super::opening::open;
use super::shapes::{ClientRefused, KillfeedPage, PollParameters};
use super::{client_id, page};
use crate::api::docs::answers::{CursorRefused, LineTooLong, ProblemDocument};
use crate::api::docs::tags::KILLFEED;
use crate::api::extract::{Params, PeerAddress};
use crate::api::limits::{DEFAULT_PAGE_EVENTS, MAX_PAGE_EVENTS, MAX_WAIT_SECONDS};
use crate::api::{ApiError, ApiState};
use crate::domain::{FeedSequence, Filter};
use crate::feed::{Batch, FeedEvent};

/// What a poll asks for.
#[derive(Debug, PartialEq)]
struct Poll {
    after: FeedSequence,
    limit: usize,
    wait: Duration,
    filter: Filter,
}

impl Poll {
    fn read(mut params: Params) -> Result<Self, ApiError> {
        let after = params.after()?.unwrap_or_default();
        let limit = params
            .integer("limit", 1..=MAX_PAGE_EVENTS)?
            .unwrap_or(DEFAULT_PAGE_EVENTS);
        let wait = params.integer("wait", 0..=MAX_WAIT_SECONDS)?.unwrap_or(0);
        Ok(Self {
            after,
            limit: usize::try_from(limit).unwrap_or(1),
            wait: Duration::from_secs(u64::try_from(wait).unwrap_or(0)),
            filter: params.filter()?,
        })
    }
}

/// Serves one page.
///
/// # Errors
/// Parameters that can't be understood, a cursor that can't be served, too many requests, the database.
#[utoipa::path(
    get,
    path = "/api/killfeed",
    operation_id = "poll_killfeed",
    tag = KILLFEED,
    summary = "A page of the feed after a cursor, at once or by long poll",
    description = "Come back with the `cursor` of the last page as `after`; it moves on over events that the filter \
        leaves out. Without a filter everything comes.\n\nWith `client_id` the server keeps the cursor instead, per \
        client and system: the answer has `events` alone, or is 204 when there is nothing new, and the offset moves \
        when the events are read. It takes `systems` and `limit`, and neither `after`, `wait` nor the rest of the \
        filter. A 400 of such a request has WandererKills' body, `{\"error\":\"…\"}`.",
    params(PollParameters, Filter),
    responses(
        (status = 200, description = "The page. `cursor` and `has_more` are absent with `client_id`.",
            body = KillfeedPage),
        (status = 204, description = "Nothing new for this `client_id`."),
        (status = 400, description = "A parameter that can't be understood.", content(
            (ProblemDocument = "application/problem+json"), (ClientRefused = "application/json"),
        )),
        CursorRefused,
        LineTooLong,
        (status = 500, description = "`internal`: an error of ours; the log has it under the request id.", content(
            (ProblemDocument = "application/problem+json"), (ClientRefused = "application/json"),
        )),
        (status = 503, description = "The service can't work on this now; `too_many_streams` for a long poll.", content(
            (ProblemDocument = "application/problem+json"), (ClientRefused = "application/json"),
        ), headers(("Retry-After" = u16, description = "Seconds after which another try makes sense."))),
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    PeerAddress(address): PeerAddress,
    params: Params,
) -> Result<Response, ApiError> {
    if params.has("client_id") {
        return client_id::poll(&state, params).await;
    }
    let Poll {
        after,
        limit,
        wait,
        filter,
    } = Poll::read(params)?;
    let (_request, _stream) = if wait.is_zero() {
        (Some(state.admission.request()?), None)
    } else {
        (None, Some(state.admission.stream(address)?))
    };
    let opening = open(&state, Some(after), filter, limit, wait).await?;
    Ok(page::json(render(&opening.first)))
}

fn render(batch: &Batch) -> Vec<u8> {
    let sizes = batch.events.iter().map(|event| event.json().len());
    let (count, bytes) = page::fitting(sizes);
    let events: &[Arc<FeedEvent>] = batch.events.get(..count).unwrap_or_default();
    let mut body = page::Page::with_capacity(bytes);
    for event in events {
        body.push(&[event.json()]);
    }
    let cut = count < batch.events.len();
    let cursor: FeedSequence = match events.last() {
        Some(last) if cut => last.sequence,
        _ => batch.cursor,
    };
    let has_more = batch.has_more || cut;
    body.finish(&format!(r#","cursor":{cursor},"has_more":{has_more}"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Poll, ApiError> {
        Poll::read(Params::parse(query))
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (query, field) in [
            ("after=abc", "after"),
            ("limit=-1", "limit"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("wait=61", "wait"),
        ] {
            let error = read(query).unwrap_err();
            assert!(error.to_string().starts_with(field), "{query}: {error}");
        }
    }
}
