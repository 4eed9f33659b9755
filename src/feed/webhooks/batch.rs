//! What is sent next: the events after a subscription's cursor.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::WebhookDeps;
use crate::domain::FeedSequence;
use crate::feed::{Error, FeedEvent, Reader};
use crate::store;
use crate::store::feed::FeedKind;
use crate::store::subscriptions::{Format, Subscription};

/// Most events of one batch.
const MOST_EVENTS: usize = 50;
/// A batch ends once its documents reach this size: a large fight has a document of more than a megabyte.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A reader that finds nothing returns this often, so that its place is kept: a place older than the log
/// would look like events that were missed.
const IDLE: Duration = Duration::from_mins(10);

/// The events to send, and where the subscription is after them.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<Arc<FeedEvent>>,
    pub(super) cursor: FeedSequence,
}

/// What a look at the feed gave.
#[derive(Debug)]
pub(super) enum Next {
    Batch(Batch),
    /// The place can't be served; this is where to go on, and why.
    Skip {
        to: FeedSequence,
        reason: String,
    },
    /// The service stops.
    Closed,
}

/// The batch that is under way, or else the next one: waits for its first event. Cancel safe.
pub(super) async fn next(
    deps: &WebhookDeps,
    subscription: &Subscription,
    reader: &mut Reader,
) -> store::Result<Next> {
    let gathered = match subscription.batch_end {
        Some(end) => again(reader, end).await,
        None => fresh(reader, deps.settings.linger).await,
    };
    let mut batch = match gathered {
        Ok(batch) => batch,
        Err(Error::Store(error)) => return Err(error),
        Err(Error::Closed) => return Ok(Next::Closed),
        Err(error @ Error::Expired { floor, .. }) => return Ok(skip(floor, &error)),
        Err(error @ Error::Ahead { head, .. }) => return Ok(skip(head, &error)),
    };
    if subscription.format != Format::Events {
        // These forms have no word for an update, and their readers would take it for another kill.
        batch.events.retain(|event| event.kind == FeedKind::New);
    }
    Ok(Next::Batch(batch))
}

fn skip(to: FeedSequence, error: &Error) -> Next {
    Next::Skip {
        to,
        reason: error.to_string(),
    }
}

/// The first event and what follows within `linger`.
async fn fresh(reader: &mut Reader, linger: Duration) -> Result<Batch, Error> {
    let mut gathered = Gathered::default();
    let mut until = None;
    loop {
        let wait = until.map_or(IDLE, |until: Instant| {
            until.saturating_duration_since(Instant::now())
        });
        let read = reader
            .next(MOST_EVENTS - gathered.events.len(), wait)
            .await?;
        let over = read.events.is_empty() && !read.has_more;
        let full = gathered.add(read.events, read.cursor);
        if over || full {
            return Ok(gathered.into());
        }
        if until.is_none() && !gathered.events.is_empty() {
            until = Some(Instant::now() + linger);
        }
    }
}

/// The same events as before, up to `end`.
async fn again(reader: &mut Reader, end: FeedSequence) -> Result<Batch, Error> {
    let mut gathered = Gathered::default();
    loop {
        let read = reader.next(MOST_EVENTS, Duration::ZERO).await?;
        let within = read
            .events
            .into_iter()
            .filter(|event| event.sequence <= end);
        gathered.events.extend(within);
        if read.cursor >= end || !read.has_more {
            gathered.cursor = end;
            return Ok(gathered.into());
        }
    }
}

/// Events up to a bound.
#[derive(Debug, Default)]
struct Gathered {
    events: Vec<Arc<FeedEvent>>,
    bytes: usize,
    cursor: FeedSequence,
}

impl Gathered {
    /// True once it is full.
    fn add(&mut self, events: Vec<Arc<FeedEvent>>, cursor: FeedSequence) -> bool {
        for event in events {
            let bytes = self.bytes.saturating_add(event.json().len());
            if !self.events.is_empty() && bytes > MOST_BYTES {
                return true;
            }
            self.bytes = bytes;
            self.cursor = event.sequence;
            self.events.push(event);
        }
        self.cursor = cursor;
        self.events.len() >= MOST_EVENTS
    }
}

impl From<Gathered> for Batch {
    fn from(gathered: Gathered) -> Self {
        Self {
            events: gathered.events,
            cursor: gathered.cursor,
        }
    }
}
