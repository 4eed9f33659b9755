//! How an error leaves: as a problem document, and as a log line where the operator has to know.
//!
//! A 5xx is logged here, once, with its chain; the client sees the request id and never the chain.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::ApiError;
use crate::api::problem::{Problem, problem_response};

impl ApiError {
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
            Self::Shared(error) => return error.members(),
            _ => Value::Null,
        };
        members.as_object().cloned().unwrap_or_default()
    }

    /// Seconds after which another try makes sense.
    fn retry_after(&self) -> Option<u16> {
        if let Self::TooOften { retry_after } = self {
            return Some(*retry_after);
        }
        match self.code() {
            "overloaded" | "database_busy" | "too_many_requests" | "too_many_queries" => Some(1),
            "too_many_streams" => Some(30),
            "timeout" | "database_unavailable" | "shutting_down" => Some(5),
            "killfeed_client" if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(5),
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
            Self::V1(error) => error.clone().into_unfinished(),
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
