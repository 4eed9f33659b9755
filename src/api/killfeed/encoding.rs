//! Events as frames of each stream, rendered once per event and shared by all readers.

use bytes::Bytes;

use crate::feed::{Encoding, FeedEvent};

/// The event as a server-sent event. The JSON is one line, so one `data:` line carries it.
pub(super) fn server_sent(event: &FeedEvent) -> Bytes {
    event.encoded(Encoding::Sse, render_server_sent)
}

/// The event as a websocket message, as [`super::websocket`] documents it.
pub(super) fn websocket(event: &FeedEvent) -> Bytes {
    event.encoded(Encoding::WebSocket, render_websocket)
}

fn render_server_sent(event: &FeedEvent) -> Bytes {
    let json = event.json();
    let id = event.sequence.to_string();
    let parts: [&[u8]; 5] = [b"id: ", id.as_bytes(), b"\ndata: ", json, b"\n\n"];
    parts.concat().into()
}

fn render_websocket(event: &FeedEvent) -> Bytes {
    let json = event.json();
    let id = event.sequence.to_string();
    let parts: [&[u8]; 5] = [
        br#"{"type":"killmail","cursor":"#,
        id.as_bytes(),
        br#","event":"#,
        json,
        b"}",
    ];
    parts.concat().into()
}
