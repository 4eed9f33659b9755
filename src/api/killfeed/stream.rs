//! `GET /api/killfeed/stream`: server-sent events.
//!
//! | parameter | meaning |
//! |---|---|
//! | `Last-Event-ID` (header) | cursor; wins over `after`, because browsers repeat the first URL when they reconnect |
//! | `after` | cursor; 0 is the oldest event kept. Absent: from now |
//! | others | the filter |
//!
//! Each event is `id: <cursor>` and `data: {"event_id","kind","system_id","killmail"}`. Where a narrow
//! filter matches nothing for a while, `event: cursor` moves the client's cursor on, so that it need not
//! look through the same events again when it comes back. A cursor that can't be served is a problem
//! document at the start, and `event: error` with the same document once the stream runs.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;

use super::encoding;
use super::opening::{Opening, open};
use super::shapes::KillfeedData;
use crate::api::admission::StreamPermit;
use crate::api::docs::answers::{BadRequest, CursorRefused, Failures, LineTooLong};
use crate::api::docs::parameters::{After, LastEventId};
use crate::api::docs::tags::KILLFEED;
use crate::api::events::{Pushed, Staying, since_commit};
use crate::api::extract::{Params, PeerAddress, integer};
use crate::api::limits::STREAM_BATCH_EVENTS;
use crate::api::{ApiError, ApiState};
use crate::domain::{FeedSequence, Filter};
use crate::feed::{Batch, Reader};

/// How long a client waits before it connects again, milliseconds.
const RETRY: &[u8] = b"retry: 2000\n\n";

/// What an idle stream says.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Opens the stream.
///
/// # Errors
/// Parameters that can't be understood, a cursor that can't be served, too many streams, the database.
#[utoipa::path(
    get,
    path = "/api/killfeed/stream",
    operation_id = "stream_killfeed",
    tag = KILLFEED,
    summary = "The feed as server-sent events",
    description = "Each event is `id: <cursor>` and `data:` with one event as JSON. `event: cursor` \
        (`{\"cursor\":N}`) moves the cursor on where a narrow filter matches nothing for a while; `event: error` \
        carries a problem document and is the last. `Last-Event-ID` wins over `after`, because browsers repeat the \
        first address when they connect again. An idle stream says `: keep-alive`.",
    params(After, LastEventId, Filter),
    responses(
        (status = 200, description = "The stream; the schema is that of `data:`.", body = KillfeedData,
            content_type = "text/event-stream"),
        BadRequest,
        CursorRefused,
        LineTooLong,
        Failures,
    ),
    extensions(("x-stays-open" = json!(true))),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, ApiError> {
    let after = params.after()?;
    let cursor = last_event_id(&headers)?.or(after);
    let filter = params.filter()?;
    let permit = state.admission.stream(address)?;
    let opening = open(&state, cursor, filter, STREAM_BATCH_EVENTS, Duration::ZERO).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Without this, nginx collects events until its buffer is full.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = Body::from_stream(Session::new(state, opening, permit).into_stream());
    Ok((headers, body).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<FeedSequence>, ApiError> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let value = String::from_utf8_lossy(value.as_bytes());
    let cursor = integer("Last-Event-ID", &value, 0..=i64::MAX)?;
    Ok(Some(FeedSequence(cursor)))
}

/// One open stream. Nothing waits here but the frames of one batch; a client that does not read is not
/// read for.
struct Session {
    state: ApiState,
    reader: Reader,
    frames: VecDeque<Bytes>,
    /// The cursor the client knows of.
    told: FeedSequence,
    ended: bool,
    _permit: StreamPermit,
    _staying: Staying,
}

impl Session {
    fn new(state: ApiState, opening: Opening, permit: StreamPermit) -> Self {
        let staying = Staying::event_stream(&state.event_streams);
        let mut session = Self {
            state,
            reader: opening.reader,
            frames: VecDeque::from([Bytes::from_static(RETRY)]),
            told: opening.cursor,
            ended: false,
            _permit: permit,
            _staying: staying,
        };
        if !opening.first.events.is_empty() {
            session.queue(&opening.first);
        }
        session
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
        futures::stream::unfold(self, |mut session| async move {
            let frame = session.next_frame().await?;
            Some((Ok(frame), session))
        })
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            if self.ended {
                return None;
            }
            let wait = self.state.limits.keep_alive;
            let batch = tokio::select! {
                batch = self.reader.next(STREAM_BATCH_EVENTS, wait) => batch,
                () = self.state.shutdown.cancelled() => return None,
            };
            match batch {
                Ok(batch) => self.queue(&batch),
                Err(crate::feed::Error::Closed) => return None,
                Err(error) => self.fail(&error.into()),
            }
        }
    }

    fn queue(&mut self, batch: &Batch) {
        if let Some(last) = batch.events.last() {
            self.told = last.sequence;
            let frames = batch
                .events
                .iter()
                .map(|event| encoding::server_sent(event));
            self.frames.extend(frames);
            Pushed {
                protocol: "sse",
                killmails: batch.events.len(),
                waited: since_commit(&self.state.clock, &batch.events),
            }
            .emit();
        } else if batch.cursor > self.told {
            self.told = batch.cursor;
            let cursor = batch.cursor;
            let frame = format!("id: {cursor}\nevent: cursor\ndata: {{\"cursor\":{cursor}}}\n\n");
            self.frames.push_back(frame.into());
        } else {
            self.frames.push_back(Bytes::from_static(KEEP_ALIVE));
        }
    }

    fn fail(&mut self, error: &ApiError) {
        error.log();
        self.ended = true;
        let problem = error.problem().render(Some("/api/killfeed/stream"), None);
        let frame = format!("event: error\ndata: {problem}\n\n");
        self.frames.push_back(frame.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_event_id_is_a_cursor() {
        let mut headers = HeaderMap::new();
        assert_eq!(last_event_id(&headers).unwrap(), None);
        headers.insert("last-event-id", "17".parse().unwrap());
        assert_eq!(last_event_id(&headers).unwrap(), Some(FeedSequence(17)));
        headers.insert("last-event-id", "yesterday".parse().unwrap());
        let error = last_event_id(&headers).unwrap_err();
        assert!(error.to_string().starts_with("Last-Event-ID"), "{error}");
    }
}
