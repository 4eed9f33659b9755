//! A day of history: what was published on it, or what is made up for it.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use super::{Shared, not_found};
use crate::domain::Killmail;
use crate::simulator::archives::{HistoryServer, Shelved};

/// A day that has killmails.
#[derive(Debug, Clone)]
pub(super) enum Day {
    /// Published; all are in memory.
    Published(Vec<Arc<Killmail>>),
    /// Made when asked for.
    Shelved(Box<Shelved>),
}

impl Day {
    /// A day that is over; `None` where it has no killmails.
    pub(super) fn find(shared: &Shared, server: HistoryServer, day: NaiveDate) -> Option<Self> {
        if day >= shared.clock().now().date_naive() {
            return None;
        }
        let shelved = shared.shelf().day(server, day).filter(|it| it.size > 0);
        if let Some(shelved) = shelved {
            return Some(Self::Shelved(Box::new(shelved)));
        }
        let published = shared.world().day(day);
        (!published.is_empty()).then_some(Self::Published(published))
    }

    /// Its killmails, by id.
    pub(super) fn killmails(&self) -> Box<dyn Iterator<Item = Killmail> + '_> {
        match self {
            Self::Published(list) => Box::new(list.iter().map(|it| Killmail::clone(it))),
            Self::Shelved(shelved) => Box::new(shelved.killmails()),
        }
    }

    fn tag(&self) -> String {
        match self {
            // Such a day only grows, so that count and last id tell its versions apart.
            Self::Published(killmails) => {
                let last = killmails.last().map_or(0, |it| it.killmail_id);
                format!("\"{}-{last}\"", killmails.len())
            }
            Self::Shelved(shelved) => shelved.tag(),
        }
    }

    fn written_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Published(_) => now,
            Self::Shelved(shelved) => shelved.written_at(),
        }
    }
}

/// Days that are over, with their counts.
pub(super) fn totals(shared: &Shared, server: HistoryServer) -> Value {
    let today = shared.clock().now().date_naive();
    let mut counts = shared.world().day_counts();
    counts.extend(shared.shelf().sizes(server));
    let totals: Map<String, Value> = counts
        .into_iter()
        .filter(|(day, count)| *day < today && *count > 0)
        .map(|(day, count)| (day.format("%Y%m%d").to_string(), count.into()))
        .collect();
    Value::Object(totals)
}

/// Answers with a file made of a day, or with 304 or 404. Packed files are kept, by `kind` and version.
pub(super) async fn answer(
    shared: &Shared,
    (server, day): (HistoryServer, Option<NaiveDate>),
    headers: &HeaderMap,
    kind: &'static str,
    make: fn(&Day) -> std::io::Result<Vec<u8>>,
) -> Response {
    let Some(day) = day.and_then(|day| Day::find(shared, server, day)) else {
        return not_found();
    };
    let tag = day.tag();
    let written_at = day.written_at(shared.clock().now());
    let written_at = written_at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let head = [(ETAG, tag.clone()), (LAST_MODIFIED, written_at)];
    let known = headers.get(IF_NONE_MATCH);
    if known.is_some_and(|it| it.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let name = format!("{kind} {tag}");
    let kept = shared.shelf().packed(&name);
    let bytes = match kept {
        Some(bytes) => bytes,
        None => match tokio::task::spawn_blocking(move || make(&day)).await {
            Ok(Ok(bytes)) => {
                let bytes = Bytes::from(bytes);
                shared.shelf().keep(name, bytes.clone());
                bytes
            }
            failed => {
                tracing::error!(?failed, "a day of history could not be made");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        },
    };
    (head, [(CONTENT_TYPE, kind)], bytes).into_response()
}
