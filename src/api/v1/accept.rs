//! Which answers a client takes: these endpoints only have JSON.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::V1Error;
use crate::api::ApiError;

/// The layer that refuses (406) clients that take no JSON. Who does not say takes everything.
pub(in crate::api) async fn json_only(request: Request, next: Next) -> Response {
    if takes_json(request.headers()) {
        next.run(request).await
    } else {
        ApiError::from(V1Error::Plain(StatusCode::NOT_ACCEPTABLE)).into_response()
    }
}

fn takes_json(headers: &HeaderMap) -> bool {
    let mut said = false;
    for value in headers.get_all(header::ACCEPT) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for range in value.split(',').filter(|range| !range.trim().is_empty()) {
            if is_json(range) {
                return true;
            }
            said = true;
        }
    }
    !said
}

/// Whether one media range has room for `application/json`.
fn is_json(range: &str) -> bool {
    let mut parts = range
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let refused = parts.any(|parameter| {
        let weight = parameter
            .strip_prefix("q=")
            .and_then(|weight| weight.parse::<f64>().ok());
        weight.is_some_and(|weight| weight <= 0.0)
    });
    let fits = ["*/*", "application/*", "application/json"].contains(&kind.as_str())
        || (kind.starts_with("application/") && kind.ends_with("+json"));
    fits && !refused
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], true)]
    #[case(&[""], true)]
    #[case(&["*/*"], true)]
    #[case(&["application/json"], true)]
    #[case(&["Application/JSON; charset=utf-8"], true)]
    #[case(&["text/html, application/*;q=0.8"], true)]
    #[case(&["text/html", "application/vnd.api+json"], true)]
    #[case(&["text/html"], false)]
    #[case(&["text/*;q=0.1"], false)]
    #[case(&["application/json;q=0"], false)]
    #[case(&["nonsense"], false)]
    fn json_has_to_be_welcome(#[case] accept: &[&'static str], #[case] welcome: bool) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        assert_eq!(takes_json(&headers), welcome);
    }
}
