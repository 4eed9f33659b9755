//! Server-sent events of killmails as WandererKills' clients read them. Both streams push a killmail once,
//! when it is stored for the first time.

pub(super) mod enhanced;
mod frames;
mod history;
mod params;
pub(super) mod plain;

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;

use super::V1Error;
use super::fields::Fields;
use crate::api::admission::StreamPermit;
use crate::api::{ApiError, ApiState};
use crate::domain::FeedSequence;

/// A place among the streams.
fn place(state: &ApiState, address: Option<IpAddr>) -> Result<StreamPermit, ApiError> {
    let permit = state.admission.stream(address);
    permit.map_err(|_| V1Error::ConnectionLimit.into())
}

/// The cursor that a client repeats after it has lost its connection; an empty one is none.
fn last_event_id(headers: &HeaderMap) -> Result<Option<FeedSequence>, V1Error> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let cursor = text.parse::<i64>().ok().filter(|cursor| *cursor >= 0);
    let cursor = cursor.ok_or_else(|| params::not_an_integer("Last-Event-ID", text))?;
    Ok(Some(FeedSequence(cursor)))
}

/// An error at the start of a stream. A cursor that can't be served keeps its status and says why.
fn refused(error: ApiError) -> ApiError {
    let status = error.status();
    let cursor = [StatusCode::GONE, StatusCode::CONFLICT].contains(&status);
    if cursor {
        V1Error::Typed {
            status,
            domain: "sse",
            kind: error.code(),
            message: error.to_string(),
        }
        .into()
    } else {
        error
    }
}

/// The response around a stream of frames.
fn response(
    frames: impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        // Without this, nginx collects events until its buffer is full.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(frames)).into_response()
}

fn query_fields(query: Option<String>) -> Fields {
    Fields::of_query(&query.unwrap_or_default())
}
