//! The killfeed for pollers that let the server remember where they are (`client_id`).
//!
//! Offsets are durable, per client and system. A new client gets everything that is kept for its systems.
//! Delivery is at most once: the offset moves when the events are read. Two pollers with one id share the
//! events between them. Bodies and messages are those of WandererKills' first killfeed.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::page;
use crate::api::extract::Params;
use crate::api::limits::{DEFAULT_PAGE_EVENTS, MAX_CLIENT_ID_BYTES, MAX_PAGE_EVENTS};
use crate::api::{ApiError, ApiState};
use crate::store::feed::FeedRow;

/// Why a poller with a `client_id` is refused. The messages are fixed: such pollers know them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A parameter is missing.
    #[error("Missing required parameter: {0}")]
    Missing(&'static str),
    /// The id is empty.
    #[error("Client ID cannot be empty")]
    Empty,
    /// The id has more than [`MAX_CLIENT_ID_BYTES`].
    #[error("Client ID exceeds maximum length")]
    TooLong,
    /// The id has something else than letters, digits, `_` and `-`.
    #[error("Client ID contains invalid characters")]
    InvalidCharacters,
    /// A system id is not a positive number, or there are too many.
    #[error("Invalid systems parameter format")]
    InvalidSystems,
    /// A parameter that does not go with a `client_id`.
    #[error("Invalid parameter: {0}")]
    InvalidParameter(String),
    /// The database can't be used now.
    #[error("Service unavailable")]
    Unavailable,
    /// Something of ours failed.
    #[error("Internal server error")]
    Internal,
}

impl ClientError {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Missing(_)
            | Self::Empty
            | Self::TooLong
            | Self::InvalidCharacters
            | Self::InvalidSystems
            | Self::InvalidParameter(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The value of `error` in the body.
    pub fn body(&self) -> String {
        self.to_string()
    }
}

/// Who polls, and for which systems.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientPoll {
    client_id: String,
    systems: Vec<i64>,
    limit: i64,
}

impl ClientPoll {
    /// Reads the parameters: `client_id`; systems as `systems[]=1`, `systems=1` or `systems=1,2`, repeated
    /// as wanted; `limit`, at most and by default as the killfeed's pages.
    pub(super) fn read(mut params: Params) -> Result<Self, ClientError> {
        let client_id = params
            .take("client_id")
            .map_err(|_| ClientError::InvalidParameter("client_id".into()))?
            .ok_or(ClientError::Missing("client_id"))?;
        check_client_id(&client_id)?;
        let given = params.take_all(&["systems", "systems[]"]);
        if given.is_empty() {
            return Err(ClientError::Missing("systems"));
        }
        let limit = params
            .integer("limit", 1..=MAX_PAGE_EVENTS)
            .map_err(|_| ClientError::InvalidParameter("limit".into()))?
            .unwrap_or(DEFAULT_PAGE_EVENTS);
        params.finish().map_err(|error| {
            if let ApiError::UnknownParameter { field } = error {
                ClientError::InvalidParameter(field)
            } else {
                ClientError::Internal
            }
        })?;
        Ok(Self {
            client_id,
            systems: read_systems(&given)?,
            limit,
        })
    }
}

fn check_client_id(client_id: &str) -> Result<(), ClientError> {
    if client_id.is_empty() {
        return Err(ClientError::Empty);
    }
    if client_id.len() > MAX_CLIENT_ID_BYTES {
        return Err(ClientError::TooLong);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !client_id.bytes().all(allowed) {
        return Err(ClientError::InvalidCharacters);
    }
    Ok(())
}

/// System ids of all values; an empty value stands for an empty list.
fn read_systems(given: &[String]) -> Result<Vec<i64>, ClientError> {
    let mut systems = given
        .iter()
        .filter(|value| !value.trim().is_empty())
        .flat_map(|value| value.split(','))
        .map(|id| match id.trim().parse::<i64>() {
            Ok(id) if id > 0 => Ok(id),
            _ => Err(ClientError::InvalidSystems),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if systems.len() > crate::domain::filter::MAX_IDS_PER_SET {
        return Err(ClientError::InvalidSystems);
    }
    systems.sort_unstable();
    systems.dedup();
    Ok(systems)
}

/// Takes up to `limit` events for a client and moves its offsets.
pub(super) async fn take(
    state: &ApiState,
    poll: &ClientPoll,
    limit: i64,
) -> Result<Vec<FeedRow>, ApiError> {
    if poll.systems.is_empty() {
        return Ok(Vec::new());
    }
    let taken = tokio::time::timeout(state.limits.request_timeout, async {
        let mut transaction = state.store.pool.begin().await.map_err(begin_failed)?;
        let rows = crate::store::killfeed_clients::take(
            &mut transaction,
            &poll.client_id,
            &poll.systems,
            limit,
        )
        .await?;
        transaction.commit().await.map_err(begin_failed)?;
        Ok(rows)
    });
    let failed = match taken.await {
        Ok(Ok(rows)) => return Ok(rows),
        Ok(Err(error)) => ApiError::Store(error),
        Err(_) => ApiError::Timeout,
    };
    failed.log();
    Err(if failed.status() == StatusCode::SERVICE_UNAVAILABLE {
        ClientError::Unavailable.into()
    } else {
        ClientError::Internal.into()
    })
}

fn begin_failed(source: sqlx::Error) -> crate::store::Error {
    crate::store::Error::Query {
        operation: "take killfeed events",
        source,
    }
}

/// `GET /api/killfeed?client_id=…`: 200 `{"events":[{"event_id","system_id","killmail"}]}`, ascending, or
/// 204 without a body.
///
/// # Errors
/// [`ClientError`].
pub(super) async fn poll(state: &ApiState, params: Params) -> Result<Response, ApiError> {
    let poll = ClientPoll::read(params)?;
    let _permit = state
        .admission
        .request()
        .map_err(|_| ClientError::Unavailable)?;
    let rows = take(state, &poll, poll.limit).await?;
    if rows.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let bytes = rows.iter().map(|row| row.document.len() + 90).sum();
    let mut body = page::Page::with_capacity(bytes);
    for row in &rows {
        let head = head(row);
        body.push(&[head.as_bytes(), row.document.as_bytes(), b"}"]);
    }
    Ok(page::json(body.finish("")))
}

/// An event up to its document.
pub(super) fn head(row: &FeedRow) -> String {
    format!(
        r#"{{"event_id":{},"system_id":{},"killmail":"#,
        row.sequence, row.solar_system_id
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("client_id=a-B_9&systems[]=30000142&systems[]=30000144", &[30_000_142, 30_000_144])]
    #[case("client_id=a&systems=30000144&systems=30000142", &[30_000_142, 30_000_144])]
    #[case("client_id=a&systems=30000142,30000144,30000142", &[30_000_142, 30_000_144])]
    #[case("client_id=a&systems%5B%5D=30000142", &[30_000_142])]
    #[case("client_id=a&systems=", &[])]
    fn systems_are_read_in_every_spelling(#[case] query: &str, #[case] systems: &[i64]) {
        let poll = ClientPoll::read(Params::parse(query)).unwrap();
        assert_eq!(poll.systems, systems);
    }

    #[rstest]
    #[case("systems=1", "Missing required parameter: client_id")]
    #[case("client_id=a", "Missing required parameter: systems")]
    #[case("client_id=&systems=1", "Client ID cannot be empty")]
    #[case("client_id=a%20b&systems=1", "Client ID contains invalid characters")]
    #[case("client_id=%C3%A9&systems=1", "Client ID contains invalid characters")]
    #[case("client_id=a&systems=Jita", "Invalid systems parameter format")]
    #[case("client_id=a&systems[]=0", "Invalid systems parameter format")]
    #[case("client_id=a&systems[]=-5", "Invalid systems parameter format")]
    #[case("client_id=a&systems=1,,2", "Invalid systems parameter format")]
    #[case("client_id=a&systems=1&after=5", "Invalid parameter: after")]
    #[case("client_id=a&systems=1&limit=0", "Invalid parameter: limit")]
    fn refusals_have_the_known_messages(#[case] query: &str, #[case] message: &str) {
        let error = ClientPoll::read(Params::parse(query)).unwrap_err();
        assert_eq!(error.body(), message);
    }

    #[test]
    fn an_id_ends_at_100_bytes() {
        assert_eq!(check_client_id(&"x".repeat(100)), Ok(()));
        assert_eq!(check_client_id(&"x".repeat(101)), Err(ClientError::TooLong));
    }
}
