//! One event of the log, shared by all readers, each encoding rendered once.

use std::sync::OnceLock;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::domain::{Facts, FeedSequence, Filter};
use crate::store::feed::{FeedKind, FeedRow};

/// A form in which an event goes out. Each is rendered once per event, whoever asks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A whole server-sent event.
    Sse,
    /// A text message of the plain JSON websocket.
    WebSocket,
}

/// One event of the log.
#[derive(Debug)]
pub struct FeedEvent {
    /// Its position: the cursor of whoever has got it.
    pub sequence: FeedSequence,
    /// Why it is there.
    pub kind: FeedKind,
    /// Which killmail.
    pub killmail_id: i64,
    /// Its time.
    pub killmail_time: DateTime<Utc>,
    /// Its system.
    pub solar_system_id: i64,
    /// When it was committed.
    pub committed_at: DateTime<Utc>,
    /// The canonical document: a part of `json`, so that the ring holds it once.
    pub document: Bytes,
    /// What filters need, read from the document on first use.
    facts: OnceLock<Option<Box<Facts>>>,
    /// `{"event_id":…,"kind":…,"system_id":…,"killmail":…}`.
    json: Bytes,
    /// What other rooms render from it.
    encoded: Encoded,
}

/// One slot for each [`Encoding`].
#[derive(Debug, Default)]
struct Encoded {
    sse: OnceLock<Bytes>,
    web_socket: OnceLock<Bytes>,
}

impl FeedEvent {
    /// What filters need; `None` when the stored document can't be read (it then matches only an empty filter).
    pub fn facts(&self) -> Option<&Facts> {
        self.facts
            .get_or_init(|| match read_facts(&self.document) {
                Ok(facts) => Some(Box::new(facts)),
                Err(reason) => {
                    tracing::warn!(
                        killmail_id = self.killmail_id,
                        sequence = self.sequence.0,
                        %reason,
                        "a stored document can't be read; only readers without a filter get it"
                    );
                    None
                }
            })
            .as_deref()
    }

    /// True when a reader with this filter gets the event.
    pub fn matches(&self, filter: &Filter) -> bool {
        filter.is_everything() || self.facts().is_some_and(|facts| filter.matches(facts))
    }

    /// The event as our own interfaces write it: `{"event_id","kind","system_id","killmail"}`.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The event in another encoding: rendered by the first who asks, shared with everyone after.
    pub fn encoded(&self, encoding: Encoding, render: impl FnOnce(&Self) -> Bytes) -> Bytes {
        let slot = match encoding {
            Encoding::Sse => &self.encoded.sse,
            Encoding::WebSocket => &self.encoded.web_socket,
        };
        slot.get_or_init(|| render(self)).clone()
    }
}

/// The event as JSON, and the part of it that is the document.
fn wrap(row: &FeedRow) -> (Bytes, Bytes) {
    let head = format!(
        r#"{{"event_id":{},"kind":"{}","system_id":{},"killmail":"#,
        row.sequence,
        row.kind.as_str(),
        row.solar_system_id,
    );
    let end = head.len() + row.document.len();
    let mut text = Vec::with_capacity(end + 1);
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(row.document.as_bytes());
    text.push(b'}');
    let json = Bytes::from(text);
    let document = json.slice(head.len()..end);
    (json, document)
}

fn read_facts(document: &[u8]) -> Result<Facts, String> {
    let text = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    Facts::from_document(text).map_err(|error| error.to_string())
}

impl From<FeedRow> for FeedEvent {
    fn from(row: FeedRow) -> Self {
        let (json, document) = wrap(&row);
        Self {
            sequence: row.sequence,
            kind: row.kind,
            killmail_id: row.killmail_id,
            killmail_time: row.killmail_time,
            solar_system_id: row.solar_system_id,
            committed_at: row.committed_at,
            document,
            facts: OnceLock::new(),
            json,
            encoded: Encoded::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::testing;

    #[test]
    fn json_wraps_the_document_as_it_is() {
        let event = FeedEvent::from(FeedRow {
            document: r#"{"killmail_id":7}"#.to_owned(),
            kind: FeedKind::Updated,
            ..testing::row(3, &testing::kill(30_000_142, 1))
        });
        assert_eq!(
            event.json(),
            r#"{"event_id":3,"kind":"updated","system_id":30000142,"killmail":{"killmail_id":7}}"#
        );
    }

    #[test]
    fn an_encoding_is_rendered_once() {
        let event = testing::event(1, &testing::kill(30_000_142, 1));
        let first = event.encoded(Encoding::Sse, |_| Bytes::from_static(b"first"));
        let second = event.encoded(Encoding::Sse, |_| Bytes::from_static(b"second"));
        let other = event.encoded(Encoding::WebSocket, |_| Bytes::from_static(b"other"));
        assert_eq!(
            (&first[..], &second[..], &other[..]),
            (&b"first"[..], &b"first"[..], &b"other"[..])
        );
    }

    #[test]
    fn an_unreadable_document_reaches_only_readers_without_a_filter() {
        let event = FeedEvent::from(FeedRow {
            document: "not a document".to_owned(),
            ..testing::row(1, &testing::kill(30_000_142, 1))
        });
        assert!(event.matches(&Filter::default()));
        assert!(!event.matches(&Filter {
            systems: [30_000_142].into(),
            ..Filter::default()
        }));
    }
}
