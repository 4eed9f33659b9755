//! Errors on their way out: RFC 9457 problem documents with a stable `code`.
//!
//! [`ApiError`] is the only error that becomes a response. A 5xx is logged here, once, with its chain; the
//! client sees the request id and never the chain.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::killfeed::ClientError;
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
    /// A poller with a `client_id`: these keep the bodies that such pollers know.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// How much of a wrong value an error shows, in characters.
pub const SHOWN_CHARACTERS: usize = 80;

/// The content type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem document before it knows its request.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    members: Map<String, Value>,
}

impl Problem {
    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The document as JSON text.
    pub fn render(&self, instance: Option<&str>, request_id: Option<&str>) -> String {
        let mut document = self.members.clone();
        document.insert(
            "type".into(),
            json!(format!("urn:wanderer-kills:problem:{}", self.code)),
        );
        document.insert("title".into(), json!(self.title));
        document.insert("status".into(), json!(self.status.as_u16()));
        document.insert("detail".into(), json!(self.detail));
        document.insert("code".into(), json!(self.code));
        if let Some(instance) = instance {
            document.insert("instance".into(), json!(instance));
        }
        if let Some(request_id) = request_id {
            document.insert("request_id".into(), json!(request_id));
        }
        Value::Object(document).to_string()
    }
}

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
            Self::TooManyStreams { .. } => (
                S::SERVICE_UNAVAILABLE,
                "too_many_streams",
                "Too many streams",
            ),
            Self::Timeout => (S::SERVICE_UNAVAILABLE, "timeout", "Timeout"),
            Self::ShuttingDown => (S::SERVICE_UNAVAILABLE, "shutting_down", "Shutting down"),
            Self::Store(error) => store_kind(error),
            Self::Document { .. } | Self::Panicked { .. } => internal(),
            Self::Client(error) => (error.status(), "killfeed_client", "Bad killfeed request"),
        }
    }

    /// The problem document. What a 5xx stands for in the inside is not shown.
    pub fn problem(&self) -> Problem {
        let (status, code, title) = self.kind();
        let detail = match code {
            "internal" => "An internal error; the log has it under the request id.".to_owned(),
            "database_busy" => "All database connections are taken.".to_owned(),
            "database_unavailable" => "The database can't be reached.".to_owned(),
            _ => self.to_string(),
        };
        Problem {
            status,
            code,
            title,
            detail,
            members: self.members(),
        }
    }

    /// Members beyond the standard ones, for programs.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most errors have no further members"
    )]
    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::BadParameter { field, .. } | Self::UnknownParameter { field } => {
                json!({ "parameter": field })
            }
            Self::CursorExpired { after, oldest } => json!({ "after": after, "oldest": oldest }),
            Self::CursorAhead { after, head } => json!({ "after": after, "head": head }),
            _ => Value::Null,
        };
        members.as_object().cloned().unwrap_or_default()
    }

    /// Seconds after which another try makes sense.
    fn retry_after(&self) -> Option<u16> {
        match self.code() {
            "overloaded" | "database_busy" => Some(1),
            "too_many_streams" => Some(30),
            "timeout" | "database_unavailable" | "shutting_down" => Some(5),
            _ => None,
        }
    }

    /// Logs what the operator has to know: failures of ours, not mistakes of clients.
    #[expect(
        clippy::cognitive_complexity,
        reason = "three branches; the log macros count as many"
    )]
    pub fn log(&self) {
        if self.code() == "internal" {
            tracing::error!(error = %chain(self), "request failed");
        } else if self.status().is_server_error() {
            tracing::warn!(error = %chain(self), code = self.code(), "request refused");
        } else {
            tracing::debug!(error = %self, code = self.code(), "request refused");
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

fn shown(value: &str) -> String {
    value.chars().take(SHOWN_CHARACTERS).collect()
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
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

impl IntoResponse for ApiError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a problem document is the rule, the others are exceptions"
    )]
    fn into_response(self) -> Response {
        self.log();
        let retry_after = self.retry_after();
        let mut response = match &self {
            Self::Client(error) => {
                (error.status(), axum::Json(json!({ "error": error.body() }))).into_response()
            }
            Self::RouteNotFound => {
                let body = json!({ "error": "Not Found", "status": "404" });
                (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
            }
            _ => problem_response(self.problem(), None, None),
        };
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::UpgradeRequired { .. }) {
            response
                .headers_mut()
                .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        response
    }
}

/// A problem as response. The problem stays with it, so that a layer that knows the request can write it
/// again with instance and request id.
pub(super) fn problem_response(
    problem: Problem,
    instance: Option<&str>,
    request_id: Option<&str>,
) -> Response {
    let body = problem.render(instance, request_id);
    let mut response = (
        problem.status,
        [
            (header::CONTENT_TYPE, PROBLEM_JSON),
            (header::CACHE_CONTROL, "no-store"),
        ],
        body,
    )
        .into_response();
    response.extensions_mut().insert(problem);
    response
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
