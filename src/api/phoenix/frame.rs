//! Phoenix' two serializers: V1 writes objects, V2 arrays.
//!
//! References (`ref`, `join_ref`) are opaque: they are kept as JSON text and given back as they came.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::limits::MAX_PHOENIX_REFERENCE_BYTES;

/// Which serializer a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Objects: `{"topic","event","payload","ref"}`.
    V1,
    /// Arrays: `[join_ref, ref, topic, event, payload]`.
    V2,
}

/// A message of a client.
#[derive(Debug)]
pub(super) struct Inbound<'a> {
    /// Names the join that the message belongs to, as JSON text; `None` where it is null or absent.
    pub(super) join_ref: Option<&'a str>,
    /// Names the message, as JSON text.
    pub(super) reference: &'a str,
    pub(super) topic: String,
    pub(super) event: String,
    /// JSON text of any kind.
    pub(super) payload: &'a str,
}

/// Text that is no message: the connection can't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable;

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    Error,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    topic: &'a RawValue,
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(borrow, rename = "ref")]
    reference: &'a RawValue,
    #[serde(borrow, default)]
    join_ref: Option<&'a RawValue>,
}

impl Version {
    /// The serializer for the query parameter `vsn`, as Elixir's `~> 1.0.0` and `~> 2.0.0` choose it. Without
    /// the parameter it is V1.
    pub(super) fn negotiate(requested: Option<&str>) -> Option<Self> {
        let Some(requested) = requested else {
            return Some(Self::V1);
        };
        let mut parts = requested.split('.');
        let mut number = || {
            let part = parts.next()?;
            let plain = part.bytes().all(|byte| byte.is_ascii_digit());
            let canonical = part == "0" || !part.starts_with('0');
            (plain && canonical).then(|| part.parse::<u32>().ok())?
        };
        match (number(), number(), number(), parts.next()) {
            (Some(1), Some(0), Some(_), None) => Some(Self::V1),
            (Some(2), Some(0), Some(_), None) => Some(Self::V2),
            _ => None,
        }
    }

    /// Reads one text frame.
    pub(super) fn decode(self, text: &str) -> Result<Inbound<'_>, Undecodable> {
        let [join_ref, reference, topic, event, payload] = match self {
            Self::V1 => {
                // A list of the fields would be read as the struct as well.
                if !text.trim_start().starts_with('{') {
                    return Err(Undecodable);
                }
                let object: Object<'_> = serde_json::from_str(text).map_err(|_| Undecodable)?;
                [
                    object.join_ref.map_or("null", RawValue::get),
                    object.reference.get(),
                    object.topic.get(),
                    object.event.get(),
                    object.payload.get(),
                ]
            }
            Self::V2 => {
                let parts: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Undecodable)?;
                let first: &[&RawValue; 5] = parts.first_chunk().ok_or(Undecodable)?;
                first.map(RawValue::get)
            }
        };
        if join_ref.len().max(reference.len()) > MAX_PHOENIX_REFERENCE_BYTES {
            return Err(Undecodable);
        }
        Ok(Inbound {
            join_ref: (join_ref != "null").then_some(join_ref),
            reference,
            topic: serde_json::from_str(topic).map_err(|_| Undecodable)?,
            event: serde_json::from_str(event).map_err(|_| Undecodable)?,
            payload,
        })
    }

    /// An answer; `response` is a JSON object.
    pub(super) fn reply(
        self,
        join_ref: Option<&str>,
        (reference, topic): (&str, &str),
        status: Status,
        response: &str,
    ) -> String {
        let status = match status {
            Status::Ok => "ok",
            Status::Error => "error",
        };
        let payload = format!(r#"{{"status":"{status}","response":{response}}}"#);
        self.frame(join_ref, reference, (topic, "phx_reply"), &payload)
    }

    /// An answer that refuses, with its reason.
    pub(super) fn refusal(
        self,
        join_ref: Option<&str>,
        names: (&str, &str),
        reason: &str,
    ) -> String {
        let response = format!(r#"{{"reason":{}}}"#, quoted(reason));
        self.reply(join_ref, names, Status::Error, &response)
    }

    /// Tells that a channel has ended: `phx_close` or `phx_error`. Its reference is that of the join.
    pub(super) fn ended(self, join_ref: Option<&str>, topic: &str, event: &str) -> String {
        self.frame(join_ref, join_ref.unwrap_or("null"), (topic, event), "{}")
    }

    /// A message that nobody asked for. The payload comes in pieces, so that a document is copied once.
    pub(super) fn push(
        self,
        join_ref: Option<&str>,
        topic: &str,
        event: &str,
        payload: &[&[u8]],
    ) -> Bytes {
        let topic = quoted(topic);
        let head = match self {
            Self::V1 => format!(r#"{{"topic":{topic},"event":"{event}","payload":"#),
            Self::V2 => format!(r#"[{},null,{topic},"{event}","#, join_ref.unwrap_or("null")),
        };
        let tail: &[u8] = match self {
            Self::V1 => br#","ref":null}"#,
            Self::V2 => b"]",
        };
        let size = payload.iter().map(|piece| piece.len()).sum::<usize>();
        let mut frame = Vec::with_capacity(head.len() + size + tail.len());
        frame.extend_from_slice(head.as_bytes());
        for piece in payload {
            frame.extend_from_slice(piece);
        }
        frame.extend_from_slice(tail);
        frame.into()
    }

    fn frame(
        self,
        join_ref: Option<&str>,
        reference: &str,
        (topic, event): (&str, &str),
        payload: &str,
    ) -> String {
        let topic = quoted(topic);
        match self {
            Self::V1 => format!(
                r#"{{"topic":{topic},"event":"{event}","payload":{payload},"ref":{reference}}}"#
            ),
            Self::V2 => {
                let join_ref = join_ref.unwrap_or("null");
                format!(r#"[{join_ref},{reference},{topic},"{event}",{payload}]"#)
            }
        }
    }
}

/// Text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
