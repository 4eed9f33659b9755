//! The answers and errors that WandererKills' clients know, word for word.
//!
//! | envelope | body |
//! |---|---|
//! | success | `{"data":…,"timestamp":"…Z"}` |
//! | [`V1Error::Coded`] | `{"error":"…","code":"UPPER_SNAKE","details":…,"timestamp":"…Z"}` |
//! | [`V1Error::Subscription`] | `{"error":{"message":"…","details":…}}` |
//! | [`V1Error::Typed`] | `{"error":{"domain":"…","type":"…","message":"…","details":null,"retryable":false}}` |
//! | [`V1Error::Plain`] | `{"error":"Not Found","status":"404"}` |
//! | [`V1Error::ConnectionLimit`] | `{"error":{"type":"connection_limit_reached","message":"…"}}` |
//!
//! Handlers return [`ApiError`](crate::api::ApiError), into which a [`V1Error`] turns; the layer `finish`
//! writes the timestamp, and turns every other error into the plain envelope.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::problem::Problem;

/// When a client may try again that found every place for streams taken: they are held for long.
const CONNECTION_LIMIT_RETRY_SECONDS: u16 = 30;

/// An error in a body that WandererKills' clients know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum V1Error {
    /// Killmail endpoints: a message and a code for programs.
    #[error("{message} ({code})")]
    Coded {
        /// The HTTP status.
        status: StatusCode,
        /// `UPPER_SNAKE`.
        code: &'static str,
        /// For people.
        message: String,
        /// An object, or null.
        details: Value,
    },
    /// Subscription endpoints.
    #[error("{message}")]
    Subscription {
        /// The HTTP status.
        status: StatusCode,
        /// For people.
        message: String,
        /// The message again, or an object.
        details: Value,
    },
    /// Parameters of the event streams.
    #[error("{message}")]
    Typed {
        /// The HTTP status.
        status: StatusCode,
        /// What the error is about, such as `validation`.
        domain: &'static str,
        /// What is wrong, such as `invalid_format`.
        kind: &'static str,
        /// For people.
        message: String,
    },
    /// Nothing but the status, in words and as a text.
    #[error("{0}")]
    Plain(StatusCode),
    /// Every place for event streams is taken.
    #[error("Too many active SSE connections")]
    ConnectionLimit,
}

impl V1Error {
    /// A 400 of the killmail endpoints, without details.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::Coded {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
            details: Value::Null,
        }
    }

    /// A 404 of the killmail endpoints, without details.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::Coded {
            status: StatusCode::NOT_FOUND,
            code: "NOT_FOUND",
            message: message.into(),
            details: Value::Null,
        }
    }

    /// A 400 of the subscription endpoints, whose details repeat the message.
    pub fn subscription(message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Subscription {
            status: StatusCode::BAD_REQUEST,
            details: Value::from(message.as_str()),
            message,
        }
    }

    /// A 400 of the event streams.
    pub fn invalid_format(message: impl Into<String>) -> Self {
        Self::Typed {
            status: StatusCode::BAD_REQUEST,
            domain: "validation",
            kind: "invalid_format",
            message: message.into(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Coded { status, .. }
            | Self::Subscription { status, .. }
            | Self::Typed { status, .. }
            | Self::Plain(status) => *status,
            Self::ConnectionLimit => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The body, as of `now`.
    pub fn body(&self, now: DateTime<Utc>) -> Value {
        match self {
            Self::Coded {
                code,
                message,
                details,
                ..
            } => json!({
                "error": message,
                "code": code,
                "details": details,
                "timestamp": timestamp(now),
            }),
            Self::Subscription {
                message, details, ..
            } => json!({ "error": { "message": message, "details": details } }),
            Self::Typed {
                domain,
                kind,
                message,
                ..
            } => json!({ "error": {
                "domain": domain,
                "type": kind,
                "message": message,
                "details": null,
                "retryable": false,
            } }),
            Self::Plain(status) => json!({
                "error": status.canonical_reason().unwrap_or("Unknown"),
                "status": status.as_str(),
            }),
            Self::ConnectionLimit => json!({ "error": {
                "type": "connection_limit_reached",
                "message": self.to_string(),
            } }),
        }
    }

    /// A response without its body, which [`finish`] writes.
    pub(in crate::api) fn into_unfinished(self) -> Response {
        let mut response = self.status().into_response();
        if self == Self::ConnectionLimit {
            let seconds = HeaderValue::from(CONNECTION_LIMIT_RETRY_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// A time as these bodies write it: UTC, microseconds, `Z`.
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The success envelope around `data`, which is JSON text already.
pub fn success(data: &str, now: DateTime<Utc>) -> Response {
    let timestamp = timestamp(now);
    json_text(
        [
            r#"{"data":"#,
            data,
            r#","timestamp":""#,
            &timestamp,
            r#""}"#,
        ]
        .concat(),
    )
}

/// JSON text as an answer that no cache may keep.
pub fn json_text(body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

/// The layer around every route of the old contract: writes the bodies of errors. The error stays with the
/// response, so that outer layers know it for finished.
pub(in crate::api) async fn finish(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let extensions = response.extensions_mut();
    let error = extensions.remove::<V1Error>();
    let error = error.or_else(|| {
        let problem = extensions.remove::<Problem>()?;
        Some(V1Error::Plain(problem.status))
    });
    let Some(error) = error else { return response };
    let body = Json(error.body(state.clock.now()));
    let mut finished = (error.status(), body).into_response();
    finished.extensions_mut().insert(error);
    keep(&response, &mut finished, &header::RETRY_AFTER);
    keep(&response, &mut finished, &header::CACHE_CONTROL);
    finished
}

fn keep(from: &Response, to: &mut Response, name: &HeaderName) {
    if let Some(value) = from.headers().get(name) {
        to.headers_mut().insert(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        V1Error::bad_request("INVALID_SYSTEM_ID", "Invalid system ID format"),
        400,
        json!({
            "error": "Invalid system ID format",
            "code": "INVALID_SYSTEM_ID",
            "details": null,
            "timestamp": "2025-12-03T18:21:07.123456Z",
        })
    )]
    #[case(
        V1Error::subscription("callback_url is required"),
        400,
        json!({ "error": {
            "message": "callback_url is required",
            "details": "callback_url is required",
        } })
    )]
    #[case(
        V1Error::invalid_format("min_value must be non-negative, got -1.0"),
        400,
        json!({ "error": {
            "domain": "validation",
            "type": "invalid_format",
            "message": "min_value must be non-negative, got -1.0",
            "details": null,
            "retryable": false,
        } })
    )]
    #[case(
        V1Error::Plain(StatusCode::NOT_FOUND),
        404,
        json!({ "error": "Not Found", "status": "404" })
    )]
    #[case(
        V1Error::ConnectionLimit,
        503,
        json!({ "error": {
            "type": "connection_limit_reached",
            "message": "Too many active SSE connections",
        } })
    )]
    fn each_envelope_has_its_body(
        #[case] error: V1Error,
        #[case] status: u16,
        #[case] body: Value,
    ) {
        let now = "2025-12-03T18:21:07.123456Z".parse().unwrap();
        assert_eq!((error.status().as_u16(), error.body(now)), (status, body));
    }
}
