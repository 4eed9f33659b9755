//! Messages that an owner asked for: tests, and events once more.

use std::time::Duration;

use super::WebhookDeps;
use super::message::Message;
use super::sender::{self, Failure, Sent};
use crate::domain::FeedSequence;
use crate::store::Result;
use crate::store::feed::FeedKind;
use crate::store::subscriptions::{self, Format, Subscription};
use crate::store::webhook_deliveries::{self as journal, Delivery, Entry, Kind, Outcome};

/// The system that a test speaks of where nothing else is said: Jita.
const TEST_SYSTEM: i64 = 30_000_142;
/// Most events that one message was made of.
const MOST_EVENTS: usize = 50;

/// Sends what waits under this entry and writes down how it went.
pub(super) async fn serve(deps: &WebhookDeps, queued: &Delivery) -> Result<()> {
    let pool = &deps.store.pool;
    let Some(subscription) = subscriptions::get(pool, &queued.subscription_id).await? else {
        return Ok(());
    };
    let message = if queued.kind == Kind::Test.as_str() {
        Some(test(&subscription, queued))
    } else {
        again(deps, &subscription, queued).await
    };
    let sent = match &message {
        Some(message) => sender::send(deps, &subscription, message, true).await,
        None => Sent {
            status: None,
            took: Duration::ZERO,
            failure: Some(Failure {
                reason: "these events are not kept any more, or do not match any more".to_owned(),
                gone: false,
                pause: None,
            }),
        },
    };
    let entry = Entry {
        kind: Kind::Test,
        outcome: if sent.failure.is_none() {
            Outcome::Delivered
        } else {
            Outcome::Failed
        },
        message_id: &queued.message_id,
        first: FeedSequence(queued.first_sequence),
        last: FeedSequence(queued.last_sequence),
        solar_system_id: queued.solar_system_id,
        attempt: queued.attempt,
        status: sent.status,
        error: sent.reason(),
        at: deps.clock.now(),
        duration_ms: Some(sent.milliseconds()),
    };
    journal::finish(pool, queued.delivery_id, &entry).await
}

fn test(subscription: &Subscription, queued: &Delivery) -> Message {
    let wanted = subscription.filter.systems.first().copied();
    Message {
        id: queued.message_id.clone(),
        first: subscription.cursor,
        last: subscription.cursor,
        solar_system_id: Some(wanted.unwrap_or(TEST_SYSTEM)),
        events: Vec::new(),
    }
}

/// The message of the entry, from the feed; `None` where its events are gone.
async fn again(
    deps: &WebhookDeps,
    subscription: &Subscription,
    queued: &Delivery,
) -> Option<Message> {
    let (first, last) = (queued.first_sequence, queued.last_sequence);
    let after = FeedSequence(first.saturating_sub(1));
    // A cursor of 0 would stand for the oldest event that is kept, whichever that is.
    let mut reader = deps.feed.reader(Some(after), subscription.filter.clone());
    let mut events = Vec::new();
    loop {
        let batch = reader.next(MOST_EVENTS, Duration::ZERO).await.ok()?;
        let wanted = batch.events.into_iter().filter(|event| {
            let here = queued
                .solar_system_id
                .is_none_or(|system| system == event.solar_system_id);
            let kind = subscription.format == Format::Events || event.kind == FeedKind::New;
            here && kind && (first..=last).contains(&event.sequence.0)
        });
        events.extend(wanted);
        if batch.cursor.0 >= last || !batch.has_more {
            break;
        }
    }
    (!events.is_empty()).then(|| Message {
        id: queued.message_id.clone(),
        first: FeedSequence(first),
        last: FeedSequence(last),
        solar_system_id: queued.solar_system_id,
        events,
    })
}
