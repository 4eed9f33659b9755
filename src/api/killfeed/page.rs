//! Pages of events, put together from JSON that was rendered before.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::limits::MAX_PAGE_BYTES;

/// One page's body, written piece by piece into a buffer of the right size.
#[derive(Debug)]
pub(super) struct Page {
    body: Vec<u8>,
    events: usize,
}

impl Page {
    /// An empty page with room for `bytes` of events and the rest.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        // The fixed parts and a cursor of 19 digits.
        let mut body = Vec::with_capacity(bytes.saturating_add(80));
        body.extend_from_slice(br#"{"events":["#);
        Self { body, events: 0 }
    }

    /// Adds one event, given in pieces that together are its JSON.
    pub(super) fn push(&mut self, pieces: &[&[u8]]) {
        if self.events > 0 {
            self.body.push(b',');
        }
        self.events += 1;
        for piece in pieces {
            self.body.extend_from_slice(piece);
        }
    }

    /// Ends the page: `tail` follows the closing bracket of `events`.
    pub(super) fn finish(mut self, tail: &str) -> Vec<u8> {
        self.body.push(b']');
        self.body.extend_from_slice(tail.as_bytes());
        self.body.push(b'}');
        self.body
    }
}

/// How many of the leading sizes fit into a page (commas included), at least one.
pub(super) fn fitting(sizes: impl Iterator<Item = usize>) -> (usize, usize) {
    let mut bytes = 0_usize;
    let mut count = 0_usize;
    for size in sizes {
        let with = bytes.saturating_add(size).saturating_add(1);
        if count > 0 && with > MAX_PAGE_BYTES {
            break;
        }
        bytes = with;
        count += 1;
    }
    (count, bytes)
}

/// A JSON body that no cache may keep.
pub(super) fn json(body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_joined_without_growing_the_buffer() {
        let events: [&[u8]; 2] = [br#"{"event_id":1}"#, br#"{"event_id":2}"#];
        let (count, bytes) = fitting(events.iter().map(|event| event.len()));
        assert_eq!(count, 2);
        let mut page = Page::with_capacity(bytes);
        let capacity = page.body.capacity();
        for event in events {
            page.push(&[event]);
        }
        let body = page.finish(r#","cursor":9223372036854775807,"has_more":false"#);
        assert_eq!(body.capacity(), capacity);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"events":[{"event_id":1},{"event_id":2}],"cursor":9223372036854775807,"has_more":false}"#
        );
    }

    #[test]
    fn an_empty_page_is_json() {
        assert_eq!(Page::with_capacity(0).finish(""), br#"{"events":[]}"#);
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_but_never_stays_empty() {
        let half = MAX_PAGE_BYTES / 2;
        assert_eq!(fitting([half, half, half].into_iter()).0, 1);
        assert_eq!(fitting([half - 1, half - 1, half].into_iter()).0, 2);
        assert_eq!(fitting([MAX_PAGE_BYTES * 2, 1].into_iter()).0, 1);
        assert_eq!(fitting(std::iter::empty()), (0, 0));
    }
}
