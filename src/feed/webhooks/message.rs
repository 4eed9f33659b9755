//! A batch as messages, in the form that a subscription wants.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};

use super::discord;
use crate::domain::FeedSequence;
use crate::feed::FeedEvent;
use crate::store::subscriptions::Format;

/// One message: one POST, however often it is tried.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) first: FeedSequence,
    pub(super) last: FeedSequence,
    /// The system, where the form has one for the whole message.
    pub(super) solar_system_id: Option<i64>,
    pub(super) events: Vec<Arc<FeedEvent>>,
}

/// The messages of a batch, in order. A batch, named by its number, always gives the same ids, also when an event
/// was changed meanwhile and does not match any more.
pub(super) fn plan(
    format: Format,
    subscription_id: &str,
    batch: i64,
    events: Vec<Arc<FeedEvent>>,
) -> Vec<Message> {
    let groups: Vec<(Option<i64>, Vec<Arc<FeedEvent>>)> = match format {
        Format::KillmailUpdate => by_system(events),
        Format::Events => vec![(None, events)],
        Format::Discord => events
            .chunks(discord::MOST_EMBEDS)
            .map(|chunk| (None, chunk.to_vec()))
            .collect(),
    };
    groups
        .into_iter()
        .zip(0_i64..)
        .filter_map(|((system, events), number)| {
            let (first, last) = (events.first()?.sequence, events.last()?.sequence);
            let part = system.unwrap_or(number);
            Some(Message {
                id: format!("msg_{subscription_id}_{batch}_{part}"),
                first,
                last,
                solar_system_id: system,
                events,
            })
        })
        .collect()
}

/// Systems in the order of their first event; within each, events keep their order.
fn by_system(events: Vec<Arc<FeedEvent>>) -> Vec<(Option<i64>, Vec<Arc<FeedEvent>>)> {
    let mut groups: Vec<(Option<i64>, Vec<Arc<FeedEvent>>)> = Vec::new();
    for event in events {
        let system = Some(event.solar_system_id);
        match groups.iter_mut().find(|(known, _)| *known == system) {
            Some((_, group)) => group.push(event),
            None => groups.push((system, vec![event])),
        }
    }
    groups
}

/// The body of a message. Without events it is a test, of `solar_system_id`.
pub(super) fn body(format: Format, message: &Message, now: DateTime<Utc>) -> Bytes {
    let text = match format {
        Format::KillmailUpdate => {
            let system = message.solar_system_id.unwrap_or_default();
            let now = now.to_rfc3339_opts(SecondsFormat::Micros, true);
            let kills = joined(message.events.iter().map(|event| &event.document));
            format!(
                r#"{{"type":"killmail_update","system_id":{system},"kills":[{kills}],"timestamp":"{now}"}}"#
            )
        }
        Format::Events => {
            let events = joined(message.events.iter().map(|event| event.json()));
            let last = message.last;
            format!(r#"{{"events":[{events}],"cursor":{last},"has_more":false}}"#)
        }
        Format::Discord => discord::body(&message.events),
    };
    Bytes::from(text)
}

fn joined<'a>(pieces: impl Iterator<Item = &'a Bytes>) -> String {
    let pieces: Vec<_> = pieces.map(|piece| String::from_utf8_lossy(piece)).collect();
    pieces.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::feed::testing::{event, kill};

    fn events() -> Vec<Arc<FeedEvent>> {
        [30_000_142, 30_000_144, 30_000_142]
            .into_iter()
            .zip(1..)
            .map(|(system, sequence)| Arc::new(event(sequence, &kill(system, sequence))))
            .collect()
    }

    #[test]
    fn a_system_is_a_message_and_order_is_kept() {
        let messages = plan(Format::KillmailUpdate, "s", 7, events());
        let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids, ["msg_s_7_30000142", "msg_s_7_30000144"]);
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let body: Value =
            serde_json::from_slice(&body(Format::KillmailUpdate, &messages[0], now)).unwrap();
        assert_eq!(body["type"], "killmail_update");
        assert_eq!(body["system_id"], 30_000_142);
        assert_eq!(body["kills"].as_array().unwrap().len(), 2);
        assert_eq!(body["timestamp"], "2026-06-01T12:00:00.000000Z");
    }

    #[test]
    fn our_own_form_is_a_page_of_the_killfeed() {
        let messages = plan(Format::Events, "s", 7, events());
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].id, "msg_s_7_0");
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let body: Value = serde_json::from_slice(&body(Format::Events, &messages[0], now)).unwrap();
        assert_eq!(body["cursor"], 3);
        assert_eq!(body["has_more"], false);
        let ids: Vec<&Value> = body["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| &event["event_id"])
            .collect();
        assert_eq!(ids, [&json!(1), &json!(2), &json!(3)]);
    }

    #[test]
    fn nothing_gives_no_message() {
        assert!(plan(Format::Events, "s", 7, Vec::new()).is_empty());
    }
}
