//! Answers whose head counts and whose body is too large for memory.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::{HttpClient, MAX_REDIRECTS};
use crate::upstream::http::body::BodyStream;
use crate::upstream::http::error::{Error, Result, host, place, status_word};
use crate::upstream::http::events::RequestEnded;
use crate::upstream::http::redirect::next_url;
use crate::upstream::http::request::{Request, Response};
use crate::upstream::http::retry_after::retry_after;

/// An answer whose body comes piece by piece.
#[derive(Debug)]
pub struct Opened {
    /// A success, or 304.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: BodyStream,
}

impl HttpClient {
    /// Asks once and hands out head and body of a success, or a 304. Redirects are followed as in
    /// [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send), and any status that is neither a success nor 304.
    pub async fn open(&self, request: &Request) -> Result<Opened> {
        let mut request = request.clone();
        for _ in 0..=MAX_REDIRECTS {
            let name = host(&request.url);
            let entry = self.shared.hosts.get(&request.url);
            let (permit, waited) = self.take_turn(&name, &entry).await?;
            let started = self.shared.clock.monotonic();
            let answer = self.begin(&request).await;
            let status = answer.as_ref().map(reqwest::Response::status);
            self.account(&name, &entry, status);
            RequestEnded {
                name: entry.name,
                host: &name,
                path: request.url.path(),
                outcome: status.map_or_else(Error::outcome, status_word),
                took: self.shared.clock.monotonic().saturating_sub(started),
                waited,
                bytes: 0,
            }
            .emit();
            let answer = answer?;
            let head = Response {
                url: request.url.clone(),
                status: answer.status(),
                retry_after: retry_after(answer.headers(), self.shared.clock.now()),
                headers: answer.headers().clone(),
                body: Bytes::new(),
                expect: request.expect,
            };
            if let Some(next) = next_url(&request, &head, &self.shared.hosts)? {
                request.url = next;
                continue;
            }
            if !head.status.is_success() && head.status != StatusCode::NOT_MODIFIED {
                head.into_body()?;
                break;
            }
            let limits = self.shortened(request.limits);
            return Ok(Opened {
                status: head.status,
                headers: head.headers,
                body: BodyStream::new(answer, request.url, limits, permit),
            });
        }
        Err(Error::Redirect {
            at: place(&request.url),
            problem: format!("more than {MAX_REDIRECTS} times"),
        })
    }
}
