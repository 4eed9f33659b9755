//! What the pages of this service have in common: each comes from the binary, and may load what comes from here alone.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The headers of a file of a page: its type, and what the browser may do with it.
pub(super) fn headers(kind: HeaderValue, policy: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, kind);
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert::<HeaderName>(name, HeaderValue::from_static(value));
    }
    headers
}
