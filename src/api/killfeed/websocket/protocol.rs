//! What clients may send, and the small frames of the server.

use serde::Deserialize;
use serde_json::json;

use crate::domain::{FeedSequence, Filter};

/// A message that was understood.
#[derive(Debug, PartialEq)]
pub(super) enum Inbound {
    /// Replace the filter.
    Filter(Box<Filter>),
    /// Give a sign of life.
    Ping,
}

/// A message that was not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbage {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

/// Most characters of an explanation: it may quote what the client sent.
const DETAIL_CHARACTERS: usize = 200;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    Filter { filter: Box<Filter> },
    Ping {},
}

/// Reads one text message.
pub(super) fn read(text: &str) -> Result<Inbound, Garbage> {
    let message = serde_json::from_str(text).map_err(|error| Garbage {
        code: "bad_message",
        detail: error.to_string().chars().take(DETAIL_CHARACTERS).collect(),
    })?;
    match message {
        Message::Ping {} => Ok(Inbound::Ping),
        Message::Filter { filter } => match filter.validate() {
            Ok(()) => Ok(Inbound::Filter(filter)),
            Err(error) => Err(Garbage {
                code: "bad_filter",
                detail: error.to_string().chars().take(DETAIL_CHARACTERS).collect(),
            }),
        },
    }
}

/// The first frame.
pub(super) fn hello(cursor: FeedSequence, head: FeedSequence) -> String {
    format!(r#"{{"type":"hello","cursor":{cursor},"head":{head}}}"#)
}

/// A frame of this type that carries the cursor alone.
pub(super) fn with_cursor(kind: &'static str, cursor: FeedSequence) -> String {
    format!(r#"{{"type":"{kind}","cursor":{cursor}}}"#)
}

/// An error frame.
pub(super) fn error(code: &str, detail: &str) -> String {
    json!({ "type": "error", "code": code, "detail": detail }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ping_is_understood() {
        assert_eq!(read(r#"{"type":"ping"}"#), Ok(Inbound::Ping));
    }

    #[test]
    fn what_is_not_understood_is_explained_in_few_words() {
        let long = format!(r#"{{"type":"{}"}}"#, "x".repeat(10_000));
        for text in [
            "",
            "hi",
            "[]",
            "1",
            r#"{"type":"sing"}"#,
            r#"{"type":"ping","x":1}"#,
            &long,
        ] {
            let garbage = read(text).unwrap_err();
            assert_eq!(garbage.code, "bad_message", "{text}");
            assert!(garbage.detail.chars().count() <= DETAIL_CHARACTERS);
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep).is_err());
    }

    #[test]
    fn frames_are_json() {
        let frame = error("bad_message", "a \"quote\"");
        let value: serde_json::Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(value["detail"], "a \"quote\"");
        assert_eq!(
            hello(FeedSequence(3), FeedSequence(9)),
            r#"{"type":"hello","cursor":3,"head":9}"#
        );
    }
}
