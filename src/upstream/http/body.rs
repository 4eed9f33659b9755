use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use url::Url;

use super::error::{Error, Result, place};
use super::request::Limits;

/// A body read piece by piece, with its cap, its time-out between pieces and its time-out for the whole.
#[derive(Debug)]
pub struct BodyStream {
    response: reqwest::Response,
    url: Url,
    limits: Limits,
    over: Pin<Box<Sleep>>,
    seen: usize,
    /// Keeps the host's place among the requests under way until the body is read.
    _permit: Option<OwnedSemaphorePermit>,
}

impl BodyStream {
    pub(super) fn new(
        response: reqwest::Response,
        url: Url,
        limits: Limits,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            response,
            url,
            over: Box::pin(tokio::time::sleep(limits.total)),
            limits,
            seen: 0,
            _permit: permit,
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// A broken connection, a silence longer than the limit, a body that takes longer than the whole may, or
    /// more bytes than allowed. The bytes are counted after decompression, so a small body that unpacks to a
    /// huge one ends here too.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let at = || place(&self.url);
        let timed_out = |after| Error::TimedOut { at: at(), after };
        let piece = tokio::select! {
            biased;
            () = &mut self.over => return Err(timed_out(self.limits.total)),
            piece = tokio::time::timeout(self.limits.stall, self.response.chunk()) => piece,
        };
        let piece = piece
            .map_err(|_| timed_out(self.limits.stall))?
            .map_err(|source| Error::Connection {
                at: at(),
                source: Arc::new(source.without_url()),
            })?;
        let Some(piece) = piece else {
            return Ok(None);
        };
        self.seen = self.seen.saturating_add(piece.len());
        if self.seen > self.limits.body_bytes {
            return Err(Error::TooLarge {
                at: place(&self.url),
                limit: self.limits.body_bytes,
            });
        }
        Ok(Some(piece))
    }

    /// The whole body.
    pub(super) async fn collect(mut self) -> Result<Bytes> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}
