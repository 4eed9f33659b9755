//! Errors on their way out: RFC 9457 problem documents with a stable `code`.
//!
//! [`ApiError`] is the only error that becomes a response.

mod answer;

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
pub const CODES: [&str; 27] = [
    "bad_parameter",
    "unknown_parameter",
    "cursor_expired",
    "cursor_ahead",
    "killmail_not_found",
    "document_not_found",
    "too_many_requests",
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

/// Status, code and title of one kind of error.
type Kind = (StatusCode, &'static str, &'static str);

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

    fn kind(&self) -> Kind {
        use StatusCode as S;
        match self {
            Self::BadParameter { .. } => (S::BAD_REQUEST, "bad_parameter", "Bad parameter"),
            Self::UnknownParameter { .. } => {
                (S::BAD_REQUEST, "unknown_parameter", "Unknown parameter")
            }
            Self::CursorExpired { .. } => (S::GONE, "cursor_expired", "Cursor expired"),
            Self::CursorAhead { .. } => (S::CONFLICT, "cursor_ahead", "Cursor ahead of the feed"),
            Self::KillmailNotFound { .. } => {
                (S::NOT_FOUND, "killmail_not_found", "Killmail not found")
            }
            Self::DocumentNotFound { .. } => {
                (S::NOT_FOUND, "document_not_found", "Document not found")
            }
            Self::TooManyRequests { .. } => (
                S::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Too many requests",
            ),
            Self::SubscriptionNotFound => (
                S::NOT_FOUND,
                "subscription_not_found",
                "Subscription not found",
            ),
            Self::DeliveryNotFound { .. } => {
                (S::NOT_FOUND, "delivery_not_found", "Delivery not found")
            }
            Self::BackfillNotFound { .. } => {
                (S::NOT_FOUND, "backfill_not_found", "Backfill not found")
            }
            Self::NotOwner => (S::UNAUTHORIZED, "not_owner", "Not the owner"),
            Self::RouteNotFound => (S::NOT_FOUND, "not_found", "Not Found"),
            Self::MethodNotAllowed { .. } => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed",
            ),
            Self::UpgradeRequired { .. } => {
                (S::UPGRADE_REQUIRED, "upgrade_required", "Upgrade required")
            }
            Self::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Overloaded"),
            Self::TooManyQueries => (
                S::SERVICE_UNAVAILABLE,
                "too_many_queries",
                "Too many queries",
            ),
            Self::QueryTooBroad { .. } => (
                S::UNPROCESSABLE_ENTITY,
                "query_too_broad",
                "Query too broad",
            ),
            Self::NotAcceptable { .. } => (S::NOT_ACCEPTABLE, "not_acceptable", "Not acceptable"),
            Self::NotAdmin { .. } => (S::UNAUTHORIZED, "not_admin", "Not an operator"),
            Self::AdminOff { .. } => (S::FORBIDDEN, "admin_off", "No operator"),
            Self::TooManyStreams { .. } => (
                S::SERVICE_UNAVAILABLE,
                "too_many_streams",
                "Too many streams",
            ),
            Self::Timeout => (S::SERVICE_UNAVAILABLE, "timeout", "Timeout"),
            Self::ShuttingDown => (S::SERVICE_UNAVAILABLE, "shutting_down", "Shutting down"),
            Self::Store(error) => store_kind(error),
            Self::Shared(error) => error.kind(),
            Self::Document { .. } | Self::Rendering(_) | Self::Panicked { .. } => internal(),
            Self::Client(error) => (error.status(), "killfeed_client", "Bad killfeed request"),
            Self::V1(error) => (error.status(), "v1", "Bad request"),
        }
    }
}

fn internal() -> Kind {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error",
    )
}

fn store_kind(error: &crate::store::Error) -> Kind {
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    if error.is_pool_exhausted() {
        (unavailable, "database_busy", "Database busy")
    } else if error.is_transient() {
        (unavailable, "database_unavailable", "Database unavailable")
    } else if matches!(error, crate::store::Error::TooMany { .. }) {
        (unavailable, "too_many", "Too many")
    } else {
        internal()
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
