use std::time::Duration;

use bytes::{Bytes, BytesMut};
use url::Url;

use super::error::{Error, Result, place};

/// A body read piece by piece, with its cap and its time-out between pieces.
#[derive(Debug)]
pub struct BodyStream {
    response: reqwest::Response,
    url: Url,
    limit: usize,
    stall: Duration,
    seen: usize,
    /// Keeps the host's place among the requests under way until the body is read.
    _permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl BodyStream {
    pub(super) fn new(
        response: reqwest::Response,
        url: Url,
        limit: usize,
        stall: Duration,
        permit: Option<tokio::sync::OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            response,
            url,
            limit,
            stall,
            seen: 0,
            _permit: permit,
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// A broken connection, a silence longer than the limit, or more bytes than allowed. The bytes are
    /// counted after decompression, so a small body that unpacks to a huge one ends here too.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let piece = tokio::time::timeout(self.stall, self.response.chunk())
            .await
            .map_err(|_| Error::TimedOut {
                at: place(&self.url),
                after: self.stall,
            })?
            .map_err(|source| Error::Connection {
                at: place(&self.url),
                source: source.without_url(),
            })?;
        let Some(piece) = piece else {
            return Ok(None);
        };
        self.seen = self.seen.saturating_add(piece.len());
        if self.seen > self.limit {
            return Err(Error::TooLarge {
                at: place(&self.url),
                limit: self.limit,
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
