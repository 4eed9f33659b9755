//! Answers for some seconds: many who ask the same at the same time cost one computation.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::api::ApiError;

/// How long an answer is given again: dashboards ask every half a minute at most.
const FRESH: Duration = Duration::from_secs(10);
/// The same for browsers and proxies.
const CACHE_CONTROL: &str = "max-age=10";
/// Bytes of answers that are kept: some hundred of the largest, thousands of usual ones.
const MOST_BYTES: u64 = 16 << 20;

/// Answers by what was asked.
#[derive(Debug, Clone)]
pub struct Cache(moka::future::Cache<String, Bytes>);

impl Default for Cache {
    fn default() -> Self {
        let size = |key: &String, answer: &Bytes| {
            u32::try_from(key.len() + answer.len()).unwrap_or(u32::MAX)
        };
        let cache = moka::future::Cache::builder()
            .max_capacity(MOST_BYTES)
            .weigher(size)
            .time_to_live(FRESH);
        Self(cache.build())
    }
}

impl Cache {
    /// The answer to `asked`: one that is kept, one that is being computed, or a new one. A failure is not kept, but
    /// told to all who waited for it.
    ///
    /// # Errors
    /// That of `compute`.
    pub(super) async fn answer<T: Serialize>(
        &self,
        asked: String,
        compute: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<Response, ApiError> {
        let rendered = async {
            let answer = compute.await?;
            let body = serde_json::to_vec(&answer).map_err(ApiError::Rendering)?;
            Ok(Bytes::from(body))
        };
        // On the heap: the computation is larger than a handler should be.
        let body = self.0.try_get_with(asked, Box::pin(rendered)).await;
        let body = body.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(ApiError::Shared))?;
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, CACHE_CONTROL),
        ];
        Ok((headers, body).into_response())
    }
}
