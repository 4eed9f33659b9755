//! Errors on their way out: RFC 9457 problem documents with a stable `code`.
//!
//! [`ApiError`] is the only error that becomes a response.

mod answer;
mod kind;

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::StatusCode;

use super::killfeed::ClientError;
use super::v1::V1Error;
use crate::domain::{FeedSequence, FilterError};

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// A parameter that can't be understood.
    #[error("{field} is {value:?}, allowed is {allowed}")]
    BadParameter {
        /// Its name.
        field: String,
        /// What it held, cut to [`SHOWN_CHARACTERS`].
        value: String,
        /// What would have been accepted.
        allowed: Cow<'static, str>,
    },
    /// A parameter nobody knows: a typo must not silently widen a filter.
    #[error("{field} is not a parameter of this request")]
    UnknownParameter {
        /// Its name, cut to [`SHOWN_CHARACTERS`].
        field: String,
    },
    /// The cursor is older than the log is kept.
    #[error(
        "cursor {after} is older than the feed is kept; go on from {oldest} and fill the hole from history"
    )]
    CursorExpired {
        /// The client's cursor.
        after: FeedSequence,
        /// The oldest cursor that can be served.
        oldest: FeedSequence,
    },
    /// The cursor is beyond the newest event.
    #[error("cursor {after} is beyond the newest event {head}: it belongs to another database")]
    CursorAhead {
        /// The client's cursor.
        after: FeedSequence,
        /// The newest event.
        head: FeedSequence,
    },
    /// No such killmail.
    #[error("killmail {killmail_id} is not stored")]
    KillmailNotFound {
        /// Its id.
        killmail_id: i64,
    },
    /// No event has this number, or it is not kept any more.
    #[error("there is no document {number}, or it is not kept any more")]
    DocumentNotFound {
        /// The number.
        number: i64,
    },
    /// A client asks too often, or for what it is being given already.
    #[error("{reason}")]
    TooManyRequests {
        /// What is too much.
        reason: &'static str,
    },
    /// An address asks more often than it may.
    #[error("your address asks more often than it may: come again in {retry_after} s")]
    TooOften {
        /// Seconds until the next request is taken.
        retry_after: u16,
    },
    /// An API token is missing or unknown.
    #[error(
        "{what} takes an API token: send Authorization: Bearer and a token that the operator made"
    )]
    TokenRequired {
        /// What was asked for.
        what: &'static str,
    },
    /// An API token is not for this.
    #[error("{what} takes an API token with the scope {scope}, which this one lacks")]
    TokenLacksScope {
        /// What was asked for.
        what: &'static str,
        /// What it takes.
        scope: &'static str,
    },
    /// No such subscription.
    #[error("there is no such subscription")]
    SubscriptionNotFound,
    /// No such delivery of a subscription, or one that can't be repeated.
    #[error("the subscription has no delivery {delivery_id} of events")]
    DeliveryNotFound {
        /// Its number.
        delivery_id: i64,
    },
    /// A subscription's secret is missing or another's.
    #[error("only the owner may do this: send Authorization: Bearer and the subscription's secret")]
    NotOwner,
    /// No such backfill.
    #[error("there is no backfill {job_id}")]
    BackfillNotFound {
        /// Its number.
        job_id: i64,
    },
    /// No such path.
    #[error("no such path")]
    RouteNotFound,
    /// The path is there, the method is not.
    #[error("this path does not take {method}")]
    MethodNotAllowed {
        /// The request's method.
        method: String,
    },
    /// A websocket path was asked for without an upgrade.
    #[error("this path is a websocket: {reason}")]
    UpgradeRequired {
        /// What was missing.
        reason: String,
    },
    /// The request's body is too large.
    #[error("the request's body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit.
        limit: usize,
    },
    /// Every place for plain requests is taken.
    #[error("the server works on as many requests as it can")]
    Overloaded,
    /// Every place for historical queries is taken.
    #[error("the server works on as many historical queries as it can")]
    TooManyQueries,
    /// A historical query took longer than it may.
    #[error("the query takes longer than {seconds} s: {advice}")]
    QueryTooBroad {
        /// How long it may take.
        seconds: f64,
        /// What to narrow.
        advice: String,
    },
    /// None of the answer's forms is accepted.
    #[error("Accept is {accept:?}, allowed is {allowed}")]
    NotAcceptable {
        /// The header, cut to [`SHOWN_CHARACTERS`].
        accept: String,
        /// What can be had.
        allowed: &'static str,
    },
    /// The operator's token is missing or another's.
    #[error("{what} is for operators: send Authorization: Bearer and the server's WK_ADMIN_TOKEN")]
    NotAdmin {
        /// What was asked for.
        what: &'static str,
    },
    /// The service has no operator's token.
    #[error("{what} is for operators, and the server was started without WK_ADMIN_TOKEN")]
    AdminOff {
        /// What was asked for.
        what: &'static str,
    },
    /// Every place for streams is taken.
    #[error("{whose} has as many open streams as it may have")]
    TooManyStreams {
        /// Whose places are taken.
        whose: &'static str,
    },
    /// The request took too long.
    #[error("the request took too long")]
    Timeout,
    /// The service is stopping.
    #[error("the service is stopping")]
    ShuttingDown,
    /// The database refused.
    #[error("the database could not be used")]
    Store(#[source] crate::store::Error),
    /// A stored document is not what we write.
    #[error("the stored killmail {killmail_id} can't be read")]
    Document {
        /// Its id.
        killmail_id: i64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A handler panicked.
    #[error("a handler panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// An answer could not be written as JSON.
    #[error("the answer could not be rendered")]
    Rendering(#[source] serde_json::Error),
    /// What several requests waited for together failed.
    #[error(transparent)]
    Shared(Arc<ApiError>),
    /// A poller with a `client_id`: these keep the bodies that such pollers know.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A client of WandererKills' interface: these keep the bodies that such clients know.
    #[error(transparent)]
    V1(#[from] V1Error),
}

/// How much of a wrong value an error shows, in characters.
pub const SHOWN_CHARACTERS: usize = 80;

/// Every code that a problem document may have.
pub const CODES: [&str; 30] = [
    "bad_parameter",
    "unknown_parameter",
    "cursor_expired",
    "cursor_ahead",
    "killmail_not_found",
    "document_not_found",
    "too_many_requests",
    "too_often",
    "token_required",
    "token_lacks_scope",
    "subscription_not_found",
    "delivery_not_found",
    "not_owner",
    "backfill_not_found",
    "not_admin",
    "admin_off",
    "query_too_broad",
    "not_acceptable",
    "method_not_allowed",
    "upgrade_required",
    "body_too_large",
    "overloaded",
    "too_many_queries",
    "too_many_streams",
    "timeout",
    "shutting_down",
    "database_busy",
    "database_unavailable",
    "too_many",
    "internal",
];

impl ApiError {
    /// A parameter that can't be understood; the value is cut.
    pub fn bad_parameter(
        field: impl Into<String>,
        value: &str,
        allowed: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::BadParameter {
            field: field.into(),
            value: shown(value),
            allowed: allowed.into(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.kind().1
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind().0
    }
}

pub(super) fn shown(value: &str) -> String {
    value.chars().take(SHOWN_CHARACTERS).collect()
}

impl From<crate::store::Error> for ApiError {
    fn from(error: crate::store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<crate::feed::Error> for ApiError {
    fn from(error: crate::feed::Error) -> Self {
        match error {
            crate::feed::Error::Expired { after, floor } => Self::CursorExpired {
                after,
                oldest: floor,
            },
            crate::feed::Error::Ahead { after, head } => Self::CursorAhead { after, head },
            crate::feed::Error::Store(error) => Self::Store(error),
            crate::feed::Error::Closed => Self::ShuttingDown,
        }
    }
}

impl From<FilterError> for ApiError {
    fn from(error: FilterError) -> Self {
        Self::bad_parameter(error.field, &error.value, error.allowed)
    }
}

#[cfg(test)]
mod tests;
