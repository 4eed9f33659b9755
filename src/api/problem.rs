//! Problem documents after RFC 9457, with a stable `code`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The content type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem document before it knows its request.
#[derive(Debug, Clone)]
pub struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: String,
    pub(super) members: Map<String, Value>,
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
