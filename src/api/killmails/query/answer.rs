//! The answer, read and written in chunks.
//!
//! First come the places of a page, a few bytes each; then the documents at these places, chunk by chunk. Between
//! chunks no connection is held. An answer of one chunk has a length; a longer one is a stream, and what goes
//! wrong in its midst breaks it off.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use tokio::sync::OwnedSemaphorePermit;

use super::media::Form;
use super::request::Request;
use super::{advice, cursor};
use crate::api::limits::{MAX_QUERY_KILLMAILS, QUERY_CHUNK, QUERY_CHUNK_BYTES};
use crate::api::{ApiError, ApiState};
use crate::domain::table::{Cell, Table};
use crate::domain::wire;
use crate::store::killmails::StoredKillmail;
use crate::store::killmails::query::{self, Place};

/// The header that names the next page's cursor.
pub(in crate::api) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// An answer on its way.
struct Answer {
    state: ApiState,
    request: Request,
    form: Form,
    /// Places whose documents are still to be sent, in reverse.
    waiting: Vec<Place>,
    /// Where the next page of places begins.
    after: Option<Place>,
    /// There are no places behind those that wait.
    is_last: bool,
    /// The answer's limit was reached before the killmails' end.
    has_more: bool,
    written: Written,
    _permit: OwnedSemaphorePermit,
}

/// How much of an answer has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Beginning,
    Killmails,
    Everything,
}

/// Reads the beginning, so that what is wrong with the query is told by the status, and answers.
///
/// # Errors
/// The query takes too long, or the database.
pub(super) async fn answer(
    state: ApiState,
    request: Request,
    form: Form,
    permit: OwnedSemaphorePermit,
) -> Result<Response, ApiError> {
    let mut answer = Answer {
        state,
        form,
        waiting: Vec::new(),
        after: request.after,
        is_last: false,
        has_more: false,
        written: Written::Nothing,
        request,
        _permit: permit,
    };
    let beginning = answer.chunk().await?;
    let headers = answer.headers();
    let body = if answer.written == Written::Everything {
        Body::from(beginning)
    } else {
        let rest = stream::try_unfold(answer, Answer::next);
        Body::from_stream(futures::StreamExt::chain(
            stream::iter([Ok(Bytes::from(beginning))]),
            rest,
        ))
    };
    Ok((headers, body).into_response())
}

impl Answer {
    fn headers(&self) -> HeaderMap {
        let fixed = |text| HeaderValue::from_static(text);
        let mut headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, fixed(self.form.content_type())),
            // Values and labels may still change.
            (header::CACHE_CONTROL, fixed("no-cache")),
            (header::VARY, fixed("accept")),
        ]);
        if self.form == Form::Csv {
            let name = fixed("attachment; filename=\"killmails.csv\"");
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        let next = self.next_cursor().map(|next| HeaderValue::from_str(&next));
        if let Some(Ok(next)) = next {
            headers.insert(NEXT_CURSOR, next);
        }
        headers
    }

    fn next_cursor(&self) -> Option<String> {
        let place = self.after.filter(|_| self.has_more)?;
        Some(cursor::write(
            self.request.query.order,
            place,
            self.request.needs,
        ))
    }

    /// The next piece of a stream. An error ends the connection, which tells the client that this is not all.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.written == Written::Everything {
            return Ok(None);
        }
        if self.state.shutdown.is_cancelled() {
            return Err(io::Error::other("the service is stopping"));
        }
        match self.chunk().await {
            Ok(chunk) => Ok(Some((Bytes::from(chunk), self))),
            Err(error) => {
                error.log();
                Err(io::Error::other("the answer could not be completed"))
            }
        }
    }

    /// Reads and renders a chunk; the first one with what stands before the killmails, the last one with what
    /// stands behind them.
    async fn chunk(&mut self) -> Result<Vec<u8>, ApiError> {
        let admission = Arc::clone(&self.state.admission);
        let killmails = admission.query_turns.take(Box::pin(self.read())).await;
        let killmails = killmails.map_err(|error| self.refusal(error))?;
        let size: usize = killmails.iter().map(|it| it.document.len() + 1).sum();
        let mut chunk = Vec::with_capacity(size + 128);
        if self.written == Written::Nothing {
            self.written = Written::Beginning;
            self.begin(&mut chunk);
        }
        self.render(&killmails, &mut chunk)?;
        if self.waiting.is_empty() && self.is_last {
            self.written = Written::Everything;
            self.end(&mut chunk);
        }
        Ok(chunk)
    }

    async fn read(&mut self) -> Result<Vec<StoredKillmail>, crate::store::Error> {
        let newest = self.state.feed.bounds().head;
        let chosen = self.state.store.reads.holding(self.request.needs).await;
        let mut conn = query::connection(&chosen.pools.history).await?;
        if self.waiting.is_empty() && !self.is_last {
            self.request.needs = self.request.needs.max(chosen.head.unwrap_or(newest));
            self.find(&mut conn).await?;
        }
        let next: Vec<Place> = (self.waiting.iter().rev())
            .take(QUERY_CHUNK)
            .copied()
            .collect();
        let with_items = self.request.with_items;
        let killmails = query::documents(&mut conn, &next, with_items, QUERY_CHUNK_BYTES).await?;
        self.take_off(&next, &killmails);
        Ok(killmails)
    }

    /// Finds the places of the next page: one more than wanted tells whether there are more.
    async fn find(&mut self, conn: &mut sqlx::PgConnection) -> Result<(), crate::store::Error> {
        let wanted = self.request.limit.unwrap_or(MAX_QUERY_KILLMAILS);
        let query = &self.request.query;
        let mut places = query::places(conn, query, self.after, wanted + 1).await?;
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let is_more = places.len() > wanted;
        places.truncate(wanted);
        self.is_last = !is_more || self.request.limit.is_some();
        self.has_more = is_more && self.request.limit.is_some();
        self.after = places.last().copied().or(self.after);
        places.reverse();
        self.waiting = places;
        Ok(())
    }

    /// Takes what was read off the waiting places. A chunk that became too large ended before its last place.
    fn take_off(&mut self, asked: &[Place], read: &[StoredKillmail]) {
        let last = read.last().map(|killmail| killmail.killmail_id);
        let taken = asked
            .iter()
            .position(|place| Some(place.killmail_id) == last);
        let taken = taken.map_or(asked.len(), |index| index + 1);
        self.waiting
            .truncate(self.waiting.len().saturating_sub(taken));
    }

    fn refusal(&self, error: crate::store::Error) -> ApiError {
        if error.is_statement_timeout() {
            return ApiError::QueryTooBroad {
                seconds: self.state.store.reads.history_timeout().as_secs_f64(),
                advice: advice::narrowing(&self.request.query),
            };
        }
        error.into()
    }

    fn begin(&self, chunk: &mut Vec<u8>) {
        match self.form {
            Form::Json => chunk.extend_from_slice(br#"{"killmails":["#),
            Form::Ndjson => {}
            Form::Csv => {
                chunk.extend_from_slice(Table::Killmails.header().as_bytes());
                chunk.extend_from_slice(b"\r\n");
            }
        }
    }

    fn render(
        &mut self,
        killmails: &[StoredKillmail],
        chunk: &mut Vec<u8>,
    ) -> Result<(), ApiError> {
        match self.form {
            Form::Json => {
                for killmail in killmails {
                    if self.written == Written::Killmails {
                        chunk.push(b',');
                    }
                    self.written = Written::Killmails;
                    self.document(killmail, chunk)?;
                }
            }
            Form::Ndjson => {
                for killmail in killmails {
                    self.document(killmail, chunk)?;
                    chunk.push(b'\n');
                }
            }
            Form::Csv => table_rows(killmails, chunk)?,
        }
        Ok(())
    }

    fn document(&self, killmail: &StoredKillmail, chunk: &mut Vec<u8>) -> Result<(), ApiError> {
        if self.request.with_items {
            let items = killmail.items.as_deref().unwrap_or("[]");
            let document = wire::with_items(&killmail.document, items);
            let document = document.map_err(|source| unreadable(killmail, source))?;
            chunk.extend_from_slice(document.as_bytes());
        } else {
            chunk.extend_from_slice(killmail.document.as_bytes());
        }
        Ok(())
    }

    fn end(&self, chunk: &mut Vec<u8>) {
        if self.form != Form::Json {
            return;
        }
        let cursor = self.next_cursor();
        let cursor = cursor.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""));
        let end = format!(r#"],"cursor":{cursor},"has_more":{}}}"#, self.has_more);
        chunk.extend_from_slice(end.as_bytes());
    }
}

/// Writes killmails as rows of CSV after RFC 4180.
fn table_rows(killmails: &[StoredKillmail], chunk: &mut Vec<u8>) -> Result<(), ApiError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(chunk);
    for killmail in killmails {
        let rows = Table::Killmails.rows(&killmail.document, None);
        for row in rows.map_err(|source| unreadable(killmail, source))? {
            let fields = row.iter().map(Cell::csv);
            writer
                .write_record(fields.map(|field| field.into_owned().into_bytes()))
                .map_err(serde::ser::Error::custom)
                .map_err(|source| unreadable(killmail, source))?;
        }
    }
    Ok(())
}

fn unreadable(killmail: &StoredKillmail, source: serde_json::Error) -> ApiError {
    ApiError::Document {
        killmail_id: killmail.killmail_id,
        source,
    }
}
