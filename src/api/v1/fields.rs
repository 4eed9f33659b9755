//! What a request says in its query and body, as one map; the body wins.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt as _;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::V1Error;
use crate::api::limits::{MAX_V1_BODY_BYTES, MAX_V1_DROPPED_BYTES};
use crate::api::{ApiError, ApiState};

/// Named values of a request. Those of the query and of a form are texts, or lists of texts where the name
/// ends in `[]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::api) struct Fields(Map<String, Value>);

/// The fields of a request with a body. The place among the requests is taken before the body is read, so
/// that only so many bodies are in memory, and kept for the handler.
#[derive(Debug)]
pub(in crate::api) struct Posted {
    /// What was said.
    pub(in crate::api) fields: Fields,
    _permit: OwnedSemaphorePermit,
}

impl Fields {
    /// The value of a field.
    pub(in crate::api) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Reads `name=value&…`; of a repeated name the last value counts.
    pub(in crate::api) fn of_query(query: &str) -> Self {
        let mut fields = Map::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = Value::from(value.into_owned());
            match name.strip_suffix("[]") {
                None => {
                    fields.insert(name.into_owned(), value);
                }
                Some(name) => match fields.get_mut(name) {
                    Some(Value::Array(list)) => list.push(value),
                    _ => {
                        fields.insert(name.to_owned(), Value::Array(vec![value]));
                    }
                },
            }
        }
        Self(fields)
    }

    /// Reads a body by its content type; one of an unknown type says nothing.
    fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        let content_type = content_type.to_ascii_lowercase();
        if content_type == "application/x-www-form-urlencoded" {
            return Ok(Self::of_query(&String::from_utf8_lossy(body)));
        }
        let is_json = content_type == "application/json"
            || (content_type.starts_with("application/") && content_type.ends_with("+json"));
        if !is_json || body.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(other) => Ok(Self(Map::from_iter([("_json".to_owned(), other)]))),
            Err(_) => Err(V1Error::Plain(StatusCode::BAD_REQUEST).into()),
        }
    }
}

impl FromRequest<ApiState> for Posted {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let permit = state.admission.request()?;
        let (parts, body) = request.into_parts();
        let mut fields = Fields::of_query(parts.uri.query().unwrap_or_default());
        let body = collect(body).await?;
        fields.0.extend(Fields::of_body(&parts.headers, &body)?.0);
        Ok(Self {
            fields,
            _permit: permit,
        })
    }
}

/// Reads a body. One that is too large is read on for a while and dropped: most clients look for an answer
/// only when they have sent everything.
async fn collect(body: Body) -> Result<Vec<u8>, V1Error> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut read = 0_usize;
    while read <= MAX_V1_DROPPED_BYTES
        && let Some(chunk) = chunks.next().await
    {
        let chunk = chunk.map_err(|_| V1Error::Plain(StatusCode::BAD_REQUEST))?;
        read = read.saturating_add(chunk.len());
        if read <= MAX_V1_BODY_BYTES {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
        }
    }
    if read > MAX_V1_BODY_BYTES {
        return Err(V1Error::Plain(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(content_type: &'static str, body: &str) -> Result<Value, ApiError> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        Fields::of_body(&headers, body.as_bytes()).map(|fields| Value::Object(fields.0))
    }

    #[rstest]
    #[case("application/json", r#"{"limit":5}"#, json!({ "limit": 5 }))]
    #[case("application/json; charset=utf-8", "", json!({}))]
    #[case("application/vnd.x+json", "[1]", json!({ "_json": [1] }))]
    #[case("application/x-www-form-urlencoded", "a=1&a=2&b[]=3&b%5B%5D=4", json!({ "a": "2", "b": ["3", "4"] }))]
    #[case("text/plain", "whatever", json!({}))]
    #[case("", "whatever", json!({}))]
    fn bodies_are_read_by_their_type(
        #[case] content_type: &'static str,
        #[case] body: &str,
        #[case] fields: Value,
    ) {
        assert_eq!(read(content_type, body).unwrap(), fields);
    }

    #[rstest]
    #[case("{")]
    #[case("nonsense")]
    #[case("{\"a\":1}}")]
    fn broken_json_is_a_bad_request(#[case] body: &str) {
        let error = read("application/json", body).unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn nesting_has_an_end() {
        assert!(read("application/json", &"[".repeat(100_000)).is_err());
    }
}
