//! `GET /api/v1/kills/stream/enhanced`: the past first, then killmails as they come, each once.
//!
//! | event | data |
//! |---|---|
//! | `connected` | `{"status":"connected","filters":{…},"timestamp"}` |
//! | `batch` | `{"kills":[…],"count","batch_number","total_batches"}`, up to 50 killmails, newest first |
//! | `transition` | `{"status":"historical_complete","total_historical","timestamp"}`, and `"truncated":true` where older ones were left out |
//! | `killmail` | the killmail |
//! | `heartbeat` | `{"timestamp","mode":"historical"\|"realtime"}`, every 30 s |
//! | `error` | `{"type","message","timestamp"}`, the last event |
//!
//! From `transition` on every event has our cursor as its `id`. A client that repeats it as `Last-Event-ID` goes on
//! behind it, without the past.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::history::{History, Page, Seam};
use super::params::StreamParams;
use super::{frames, last_event_id, place, query_fields, refused, response};
use crate::api::admission::StreamPermit;
use crate::api::docs::parameters::LastEventId;
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::events::{Pushed, Staying, since_commit};
use crate::api::extract::PeerAddress;
use crate::api::limits::STREAM_BATCH_EVENTS;
use crate::api::v1::envelope::timestamp;
use crate::api::v1::shapes::{PreloadParameters, StreamFailures, StreamParameters};
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
    path = "/api/v1/kills/stream/enhanced",
    operation_id = "stream_kills_with_history",
    tag = WANDERER_KILLS,
    summary = "The past first, then killmails as they come, each once",
    description = "Named events: `connected`, `batch` (`{\"kills\",\"count\",\"batch_number\",\"total_batches\"}`), \
        `transition`, `killmail`, `heartbeat` every 30 s, and `error`, which is the last. From `transition` on every \
        event has the cursor as its `id`; a client that repeats it goes on behind it, without the past.",
    params(StreamParameters, PreloadParameters, LastEventId),
    responses(
        (status = 200, description = "The stream; the schema is that of `data:` of `killmail`.", body = Killmail,
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
    let opened = tokio::time::timeout(
        state.limits.request_timeout,
        Session::open(state.clone(), &params, cursor, permit),
    );
    let session = opened.await.map_err(|_| ApiError::Timeout)?;
    let frames = futures::stream::unfold(session.map_err(refused)?, |mut session| async move {
        let frame = session.next_frame().await?;
        Some((Ok(frame), session))
    });
    Ok(response(frames))
}

/// Where a stream is.
enum Phase {
    Historical(Box<History>),
    Realtime(Seam),
    Ended,
}

/// One open stream. Nothing waits here but the frames of one page or batch.
struct Session {
    state: ApiState,
    reader: Reader,
    phase: Phase,
    frames: VecDeque<Bytes>,
    heartbeat_at: Instant,
    _permit: StreamPermit,
    _staying: Staying,
}

impl Session {
    async fn open(
        state: ApiState,
        params: &StreamParams,
        cursor: Option<FeedSequence>,
        permit: StreamPermit,
    ) -> Result<Self, ApiError> {
        let start = match cursor {
            Some(cursor) => cursor,
            None => History::start(&state).await?,
        };
        let staying = Staying::event_stream(&state.event_streams);
        let mut session = Self {
            heartbeat_at: Instant::now() + state.limits.heartbeat,
            reader: state.feed.reader(Some(start), params.filter()),
            state,
            phase: Phase::Realtime(Seam::default()),
            frames: VecDeque::new(),
            _permit: permit,
            _staying: staying,
        };
        session.say(
            "connected",
            json!({ "status": "connected", "filters": params.json() }),
        );
        if cursor.is_none() && params.preload_days > 0 {
            let history = History::open(&session.state, params, start).await?;
            session.phase = Phase::Historical(Box::new(history));
        } else {
            let first = session.reader.next(STREAM_BATCH_EVENTS, Duration::ZERO);
            let first = first.await?;
            session.queue(&first);
        }
        Ok(session)
    }

    async fn next_frame(&mut self) -> Option<Bytes> {
        let shutdown = self.state.shutdown.clone();
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            if matches!(self.phase, Phase::Ended) {
                return None;
            }
            tokio::select! {
                () = self.advance() => {}
                () = shutdown.cancelled() => return None,
            }
        }
    }

    /// Waits for the next thing to say, or for the time of a heartbeat.
    async fn advance(&mut self) {
        if Instant::now() >= self.heartbeat_at {
            self.beat();
        }
        let outcome = match &mut self.phase {
            Phase::Historical(history) => {
                let page = history.next(&self.state).await;
                page.map(|page| self.past(page)).map_err(ApiError::from)
            }
            Phase::Realtime(_) => {
                let wait = self.heartbeat_at.saturating_duration_since(Instant::now());
                let batch = self.reader.next(STREAM_BATCH_EVENTS, wait).await;
                batch
                    .map(|batch| self.queue(&batch))
                    .map_err(ApiError::from)
            }
            Phase::Ended => Ok(()),
        };
        if let Err(error) = outcome {
            self.fail(&error);
        }
    }

    /// Sends a page of the past; after the last one the present begins.
    fn past(&mut self, page: Option<Page>) {
        if let Some(page) = page {
            self.frames.push_back(frames::named("batch", &page.json));
            return;
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Realtime(Seam::default()));
        if let Phase::Historical(history) = phase {
            let mut transition = json!({
                "status": "historical_complete",
                "total_historical": history.sent(),
            });
            if history.is_truncated() {
                insert(&mut transition, "truncated", true.into());
            }
            self.phase = Phase::Realtime(history.into_seam());
            self.say("transition", transition);
        }
    }

    fn queue(&mut self, batch: &Batch) {
        let Phase::Realtime(seam) = &mut self.phase else {
            return;
        };
        let mut killmails = 0;
        for event in &batch.events {
            if event.kind == FeedKind::New && !seam.passes_over(event.killmail_id) {
                self.frames.extend(frames::killmail("killmail", event));
                killmails += 1;
            }
        }
        Pushed {
            protocol: "sse",
            killmails,
            waited: since_commit(&self.state.clock, &batch.events),
        }
        .emit();
    }

    fn beat(&mut self) {
        self.heartbeat_at = Instant::now() + self.state.limits.heartbeat;
        let mode = match self.phase {
            Phase::Historical(_) => "historical",
            Phase::Realtime(_) | Phase::Ended => "realtime",
        };
        self.say("heartbeat", json!({ "mode": mode }));
    }

    fn fail(&mut self, error: &ApiError) {
        error.log();
        self.phase = Phase::Ended;
        if !matches!(error, ApiError::ShuttingDown) {
            let problem = error.problem();
            let message = problem.detail();
            self.say("error", json!({ "type": error.code(), "message": message }));
        }
    }

    /// Queues an event of ours, with the time. In the present it has the cursor up to which everything was
    /// sent; one in the past has none, since a client that comes back has to start again.
    fn say(&mut self, name: &str, mut data: Value) {
        let now = timestamp(self.state.clock.now());
        insert(&mut data, "timestamp", now.into());
        let cursor = match self.phase {
            Phase::Realtime(_) if name != "connected" => Some(self.reader.cursor()),
            Phase::Historical(_) | Phase::Realtime(_) | Phase::Ended => None,
        };
        let frame = match cursor {
            Some(cursor) => frames::named_at(cursor, name, &data),
            None => frames::named(name, &data.to_string()),
        };
        self.frames.push_back(frame);
    }
}

fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}
