//! `GET /api/v1/kills/stream`: killmails as unnamed events.
//!
//! `retry: 2000` comes first, `: ping` after ten seconds without anything. Every event has our cursor as its
//! `id`; a client that repeats it as `Last-Event-ID` goes on behind it. `system_ids` and `character_ids` widen
//! each other, `min_value` narrows both.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use tokio::time::Instant;

use super::params::StreamParams;
use super::{frames, last_event_id, place, query_fields, refused, response};
use crate::api::admission::StreamPermit;
use crate::api::docs::parameters::LastEventId;
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::events::{Pushed, Staying, since_commit};
use crate::api::extract::PeerAddress;
use crate::api::killfeed::opening::{Opening, open};
use crate::api::limits::STREAM_BATCH_EVENTS;
use crate::api::v1::shapes::{StreamFailures, StreamParameters};
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;
use crate::domain::wire::shape::Killmail;
use crate::feed::{Batch, Reader};
use crate::store::feed::FeedKind;

/// Opens the stream.
///
/// # Errors
/// Parameters that can't be understood, a cursor that can't be served, too many streams, the database.
#[utoipa::path(
    get,
    path = "/api/v1/kills/stream",
    operation_id = "stream_kills",
    tag = WANDERER_KILLS,
    summary = "Killmails as unnamed server-sent events",
    description = "Each killmail once, when it is stored for the first time. `system_ids` and `character_ids` widen \
        each other, `min_value` narrows both. Every event has the cursor as its `id`.",
    params(StreamParameters, LastEventId),
    responses(
        (status = 200, description = "The stream; the schema is that of `data:`.", body = Killmail,
            content_type = "text/event-stream"),
        StreamFailures,
    ),
    extensions(("x-stays-open" = json!(true))),
)]
pub(in crate::api::v1) async fn handle(
    State(state): State<ApiState>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = StreamParams::read(&query_fields(query))?;
    let cursor = last_event_id(&headers)?;
    let permit = place(&state, address)?;
    let opened = open(
        &state,
        cursor,
        params.filter(),
        STREAM_BATCH_EVENTS,
        Duration::ZERO,
    );
    let session = Session::new(state.clone(), opened.await.map_err(refused)?, permit);
    let frames = futures::stream::unfold(session, |mut session| async move {
        let frame = session.next_frame().await?;
        Some((Ok(frame), session))
    });
    Ok(response(frames))
}

/// One open stream. Nothing waits here but the frames of one batch; a client that does not read is not
/// read for.
struct Session {
    state: ApiState,
    reader: Reader,
    frames: VecDeque<Bytes>,
    /// The cursor the client knows of.
    told: FeedSequence,
    ping_at: Instant,
    _permit: StreamPermit,
    _staying: Staying,
}

impl Session {
    fn new(state: ApiState, opening: Opening, permit: StreamPermit) -> Self {
        let staying = Staying::event_stream(&state.event_streams);
        let mut session = Self {
            ping_at: Instant::now() + state.limits.keep_alive,
            state,
            reader: opening.reader,
            frames: VecDeque::from([Bytes::from_static(frames::RETRY)]),
            told: opening.cursor,
            _permit: permit,
            _staying: staying,
        };
        session.queue(&opening.first);
        session
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let wait = self.ping_at.saturating_duration_since(Instant::now());
            let batch = tokio::select! {
                batch = self.reader.next(STREAM_BATCH_EVENTS, wait) => batch,
                () = self.state.shutdown.cancelled() => return None,
            };
            match batch {
                Ok(batch) => self.queue(&batch),
                Err(error) => {
                    // The client comes back with its cursor and is then told what is wrong with it.
                    ApiError::from(error).log();
                    return None;
                }
            }
        }
    }

    fn queue(&mut self, batch: &Batch) {
        let new = batch
            .events
            .iter()
            .filter(|event| event.kind == FeedKind::New);
        let mut killmails = 0;
        for event in new {
            self.told = event.sequence;
            self.frames.extend(frames::killmail("", event));
            killmails += 1;
        }
        Pushed {
            protocol: "sse",
            killmails,
            waited: since_commit(&self.state.clock, &batch.events),
        }
        .emit();
        let now = Instant::now();
        if self.frames.is_empty() && now >= self.ping_at {
            if batch.cursor > self.told {
                self.told = batch.cursor;
                self.frames.push_back(frames::cursor(batch.cursor));
            }
            self.frames.push_back(Bytes::from_static(frames::PING));
        }
        if !self.frames.is_empty() {
            self.ping_at = now + self.state.limits.keep_alive;
        }
    }
}
