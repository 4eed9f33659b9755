use std::time::Duration;

use bytes::Bytes;
use moka::future::Cache;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::client::EsiClient;
use super::directory::EsiError;
use super::gate::is_refused;
use super::operation::Operation;
use super::wire;

/// Bytes of answers that are kept.
const KEPT_BYTES: u64 = 8 * 1024 * 1024;
/// How long an answer is given again. ESI lets others keep these answers for an hour and more.
const KEPT_FOR: Duration = Duration::from_mins(1);
/// What an answer weighs beside its body, and "there is none" weighs at all.
const ENTRY_BYTES: u32 = 64;

/// Answers of GETs: who asks for the same at the same time, or a little later, shares one request.
#[derive(Debug, Clone)]
pub(super) struct SharedGets {
    answers: Cache<(Operation, i64), Option<Bytes>>,
}

impl SharedGets {
    pub(super) fn new() -> Self {
        let weigh = |_: &(Operation, i64), answer: &Option<Bytes>| {
            let bytes = answer.as_ref().map_or(0, Bytes::len);
            u32::try_from(bytes)
                .unwrap_or(u32::MAX)
                .saturating_add(ENTRY_BYTES)
        };
        Self {
            answers: Cache::builder()
                .max_capacity(KEPT_BYTES)
                .weigher(weigh)
                .time_to_live(KEPT_FOR)
                .build(),
        }
    }
}

impl EsiClient {
    /// What a route answers for an id; `None` where ESI says that there is none.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: Operation,
        id: i64,
    ) -> Result<Option<T>, EsiError> {
        let body = self
            .gets
            .answers
            .try_get_with((operation, id), Box::pin(self.fetch(operation, id)))
            .await
            .map_err(|shared| EsiError::clone(&shared))?;
        let read = body.map(|body| wire::read(&operation.path(id), &body));
        Ok(read.transpose()?)
    }

    async fn fetch(&self, operation: Operation, id: i64) -> Result<Option<Bytes>, EsiError> {
        let request = self.get_request(operation, id)?;
        let asked = self.ask(operation, request, |body| {
            // Half a body must not be kept; whether the shape is right is the caller's question.
            wire::read::<IgnoredAny>(operation.word(), &body).map(|_| body)
        });
        match asked.await {
            Ok(body) => Ok(Some(body)),
            Err(error) if is_refused(&error, &[404]) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
