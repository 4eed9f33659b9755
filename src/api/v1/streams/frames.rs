//! The bytes of server-sent events.

use bytes::Bytes;
use serde_json::Value;

use crate::domain::FeedSequence;
use crate::feed::FeedEvent;

/// How long a client waits before it connects again, milliseconds.
pub(super) const RETRY: &[u8] = b"retry: 2000\n\n";

/// What an idle stream says.
pub(super) const PING: &[u8] = b": ping\n\n";

/// A killmail of the feed, in three pieces: the document's bytes are the feed's own. `name` is the event's, or
/// empty for an unnamed one.
pub(super) fn killmail(name: &str, event: &FeedEvent) -> [Bytes; 3] {
    let id = event.sequence;
    let head = if name.is_empty() {
        format!("id: {id}\ndata: ")
    } else {
        format!("id: {id}\nevent: {name}\ndata: ")
    };
    [
        head.into(),
        event.document.clone(),
        Bytes::from_static(b"\n\n"),
    ]
}

/// A named event whose data is JSON text.
pub(super) fn named(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// The same with a cursor.
pub(super) fn named_at(cursor: FeedSequence, name: &str, data: &Value) -> Bytes {
    format!("id: {cursor}\nevent: {name}\ndata: {data}\n\n").into()
}

/// Moves the client's cursor without an event.
pub(super) fn cursor(cursor: FeedSequence) -> Bytes {
    format!("id: {cursor}\n\n").into()
}
