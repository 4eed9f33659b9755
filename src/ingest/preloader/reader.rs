use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use tokio::sync::oneshot;

use super::walk::{self, Next, Seen};
use super::{SOURCE, events};
use crate::domain::{HistoryKey, Parsed};
use crate::ingest::envelope::{Announce, Envelope, Outcome, Payload};
use crate::ingest::import::Summary;
use crate::ingest::pipeline::PipelineInput;
use crate::runtime::clock::SharedClock;
use crate::store::history_wishes::{self, Advance, Retry, Wish};
use crate::store::{self, Store, killmails};
use crate::upstream::zkb::list::{Element, Page};
use crate::upstream::zkb::rest::{RestError, ZkbRest};

/// When to ask again after a failure; after the last one the wish is given up.
const LADDER: [TimeDelta; 4] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(10),
    TimeDelta::hours(1),
    TimeDelta::hours(6),
];
/// Pause after bodies could not be had: the next wish may have its own.
const NO_PAUSE: Duration = Duration::ZERO;

/// Reads pages for wishes, one at a time.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Where wishes are, and what is stored.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// Whom to ask.
    pub zkb: ZkbRest,
    /// Takes what was read.
    pub input: PipelineInput,
    /// The most pages read for one wish.
    pub max_pages: i32,
    /// How long nobody else goes on with a wish that this reader has begun: zero where a lock sees to it.
    pub hold: TimeDelta,
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq)]
pub enum Stepped {
    /// A page was read and stored.
    Read {
        /// What became of its killmails.
        summary: Summary,
        /// The reading is over; true where there is more than is read for one wish.
        ended: Option<bool>,
    },
    /// It could not be read, or not all of it stored.
    Failed {
        /// How long zKillboard wants to be left alone.
        pause: Duration,
        /// Why.
        error: String,
        /// It is not tried again.
        given_up: bool,
    },
}

impl Reader {
    /// Reads the next page for a wish and stores what is on it. Committed, in this order: the killmails, then
    /// how far the reading has come; so a crash between the two reads one page twice.
    ///
    /// # Errors
    /// When the database refuses or the pipeline has ended.
    pub async fn step(&self, wish: Wish) -> anyhow::Result<Stepped> {
        let now = self.clock.now();
        let walk = if let Some(walk) = wish.walk {
            walk::resume(walk, now)
        } else {
            let walk = walk::begin(&wish, now);
            let held_until = now + self.hold;
            history_wishes::begin(&self.store.pool, wish.key, walk, held_until, now).await?;
            walk
        };
        let window = walk::window(&walk, now);
        let page = match self.zkb.page(wish.key, window, walk.page).await {
            Ok(page) => page,
            Err(error) => return self.not_read(&wish, &error).await,
        };
        let seen = seen(&page);
        let summary = self.store_page(wish.key, page).await?;
        if summary.deferred > 0 {
            let error = format!("{} bodies can't be had from ESI now", summary.deferred);
            return self.failed(&wish, error, NO_PAUSE).await;
        }
        let new = i64::try_from(summary.new).unwrap_or(i64::MAX);
        let next = walk::after(walk, seen, self.max_pages);
        self.keep(wish.key, next, new).await?;
        let ended = match next {
            Next::Page(_) => None,
            Next::End { truncated, .. } => Some(truncated),
        };
        events::PageRead {
            key: wish.key,
            page: walk.page,
            summary,
            ended,
        }
        .emit();
        Ok(Stepped::Read { summary, ended })
    }

    async fn keep(&self, key: HistoryKey, next: Next, new: i64) -> store::Result<()> {
        let now = self.clock.now();
        let pool = &self.store.pool;
        let walk = match next {
            Next::Page(walk) | Next::End { walk, .. } => walk,
        };
        let advance = Advance {
            walk,
            new,
            next_attempt_at: now + self.hold,
        };
        history_wishes::advance(pool, key, advance, now).await?;
        if let Next::End {
            known, truncated, ..
        } = next
        {
            history_wishes::finish(pool, key, walk, known, truncated, now).await?;
        }
        Ok(())
    }

    async fn not_read(&self, wish: &Wish, error: &RestError) -> anyhow::Result<Stepped> {
        let pause = error.pause();
        if error.is_about_question() {
            return self.failed(wish, error.to_string(), pause).await;
        }
        let now = self.clock.now();
        let text = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        let retry = Retry {
            at: now + TimeDelta::from_std(pause).unwrap_or_default(),
            error: &text,
            counts: false,
        };
        history_wishes::postpone(&self.store.pool, wish.key, retry, now).await?;
        Ok(tell_failure(wish.key, text, pause, false))
    }

    /// One step down the ladder, or off it.
    async fn failed(&self, wish: &Wish, error: String, pause: Duration) -> anyhow::Result<Stepped> {
        let now = self.clock.now();
        let rung = usize::try_from(wish.attempts).unwrap_or(usize::MAX);
        let given_up = if let Some(wait) = LADDER.get(rung) {
            let retry = Retry {
                at: now + *wait,
                error: &error,
                counts: true,
            };
            history_wishes::postpone(&self.store.pool, wish.key, retry, now).await?;
            false
        } else {
            history_wishes::give_up(&self.store.pool, wish.key, &error, now).await?;
            true
        };
        Ok(tell_failure(wish.key, error, pause, given_up))
    }

    /// Sends a page through the pipeline and waits for its answers. Killmails without a body that are stored
    /// already are left out: their bodies would be asked for in vain.
    async fn store_page(&self, key: HistoryKey, page: Page) -> anyhow::Result<Summary> {
        let bare: Vec<i64> = page.elements.iter().filter_map(bare_id).collect();
        let known = killmails::known(&self.store.pool, &bare).await?;
        let mut summary = Summary::default();
        let mut unanswered = Vec::with_capacity(page.elements.len());
        for element in page.elements {
            summary.read += 1;
            if bare_id(&element).is_some_and(|id| known.contains(&id)) {
                summary.unchanged += 1;
                continue;
            }
            let (done, answer) = oneshot::channel();
            let envelope = self.envelope(key, element, done);
            (self.input.send(envelope).await).context("the pipeline has ended")?;
            unanswered.push(answer);
        }
        for answer in unanswered {
            let outcome = answer.await.context("the pipeline has ended")?;
            summary.count(Some(&outcome));
        }
        Ok(summary)
    }

    fn envelope(
        &self,
        key: HistoryKey,
        element: Element,
        done: oneshot::Sender<Outcome>,
    ) -> Envelope {
        // A gap that is to be closed is not recorded anew: the wish itself asks again.
        let closes_gap = bare_id(&element);
        let payload = match element.parsed {
            Some(Parsed::Killmail(killmail)) => Payload::Killmail(killmail),
            Some(Parsed::Reference(_) | Parsed::Nothing) | None => Payload::Raw(element.bytes),
        };
        Envelope {
            source: SOURCE,
            origin: key.to_string(),
            payload,
            received_at: self.clock.now(),
            announce: Announce::IfRecent,
            cursor: None,
            gaps: Vec::new(),
            closes_gap,
            done: Some(done),
        }
    }
}

fn tell_failure(key: HistoryKey, error: String, pause: Duration, given_up: bool) -> Stepped {
    events::PageFailed {
        key,
        error: &error,
        pause,
        given_up,
    }
    .emit();
    Stepped::Failed {
        pause,
        error,
        given_up,
    }
}

/// The id of a killmail that came without its body.
fn bare_id(element: &Element) -> Option<i64> {
    match &element.parsed {
        Some(Parsed::Reference(reference)) => Some(reference.killmail_id),
        Some(Parsed::Killmail(_) | Parsed::Nothing) | None => None,
    }
}

fn seen(page: &Page) -> Seen {
    let times = || page.elements.iter().filter_map(Element::time);
    Seen {
        elements: page.elements.len(),
        newest: times().max(),
        oldest: times().min(),
        as_of: page.as_of,
    }
}
