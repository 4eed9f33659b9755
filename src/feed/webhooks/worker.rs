//! One subscription's deliveries.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::batch::{self, Batch, Next};
use super::message::{self, Message};
use super::sender::{self, Failure, Sent};
use super::{WebhookDeps, events};
use crate::domain::FeedSequence;
use crate::feed::Reader;
use crate::store::subscriptions::{self, AfterFailure, Place, Subscription};
use crate::store::webhook_deliveries::{self as journal, Entry, Kind, Outcome};
use crate::store::{Error, Result};

/// A receiver that takes longer than this waits among the slow ones the next time.
const PROMPT: Duration = Duration::from_secs(2);

/// One attempt at one message of a batch.
struct Attempt<'a> {
    message: &'a Message,
    sent: &'a Sent,
    /// Failures before it.
    failures: i32,
    /// The batch, and where the subscription is after it.
    place: Place<'a>,
    end: FeedSequence,
}

/// One subscription's deliveries, for as long as it is active.
pub(super) struct Worker {
    deps: WebhookDeps,
    id: String,
    /// Kept from batch to batch: what it waits with costs entries in the feed's index.
    reader: Option<Reader>,
    /// False until a message was answered quickly.
    prompt: bool,
}

impl Worker {
    pub(super) fn new(deps: WebhookDeps, id: String) -> Self {
        Self {
            deps,
            id,
            reader: None,
            prompt: false,
        }
    }

    /// Delivers batch after batch until the subscription is paused or gone, or `token` is cancelled; a message
    /// under way is waited for.
    ///
    /// # Errors
    /// When the database refuses. Starting again goes on where it was.
    pub(super) async fn run(mut self, token: CancellationToken) -> Result<()> {
        while !token.is_cancelled() {
            let Some(subscription) = subscriptions::get(&self.deps.store.pool, &self.id).await?
            else {
                return Ok(());
            };
            if subscription.paused_at.is_some() {
                return Ok(());
            }
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = self.retry_time(&subscription) => {}
            }
            let next = tokio::select! {
                () = token.cancelled() => return Ok(()),
                next = self.next(&subscription) => next?,
            };
            match next {
                Next::Closed => return Ok(()),
                Next::Skip { to, reason } => self.skip(&subscription, to, &reason).await?,
                Next::Batch(batch) => self.deliver(&subscription, batch, &token).await?,
            }
        }
        Ok(())
    }

    /// Waits until the next attempt is due.
    async fn retry_time(&self, subscription: &Subscription) {
        let Some(due) = subscription.next_attempt_at else {
            return;
        };
        if let Ok(wait) = (due - self.deps.clock.now()).to_std() {
            self.deps.clock.sleep(wait).await;
        }
    }

    async fn next(&mut self, subscription: &Subscription) -> Result<Next> {
        let place = subscription.cursor;
        let kept = self.reader.take();
        let kept = kept.filter(|reader| reader.cursor() == place);
        let reader = kept.unwrap_or_else(|| {
            let filter = subscription.filter.clone();
            self.deps.feed.reader_behind(place, filter)
        });
        let reader = self.reader.insert(reader);
        batch::next(&self.deps, subscription, reader).await
    }

    /// Sends what is left of a batch, in order, up to the first failure.
    async fn deliver(
        &mut self,
        subscription: &Subscription,
        batch: Batch,
        token: &CancellationToken,
    ) -> Result<()> {
        let Some(place) = self.begin(subscription, &batch).await? else {
            return Ok(());
        };
        let mut messages = message::plan(subscription.format, &self.id, place.batch, batch.events);
        if subscription.batch_end.is_some() {
            let pool = &self.deps.store.pool;
            let done = journal::delivered_after(pool, &self.id, subscription.cursor).await?;
            messages.retain(|message| !done.contains(&message.id));
        }
        if messages.is_empty() {
            return self.pass(place, batch.cursor).await;
        }
        let mut failures = subscription.failures;
        let mut left = messages.len();
        for message in &messages {
            if token.is_cancelled() {
                return Ok(());
            }
            left -= 1;
            let slow = failures > 0 || !self.prompt;
            let sent = sender::send(&self.deps, subscription, message, slow).await;
            self.prompt = sent.failure.is_none() && sent.took < PROMPT;
            let attempt = Attempt {
                message,
                sent: &sent,
                failures,
                place,
                end: batch.cursor,
            };
            if let Some(failure) = &sent.failure {
                return self.note_failure(&attempt, failure).await;
            }
            if !self.note_success(&attempt, left == 0).await? {
                return Ok(());
            }
            failures = 0;
        }
        Ok(())
    }

    /// The batch's place: that of the batch under way, or of one that is written down before anything is sent, so
    /// that whoever repeats it sends the same. `None` when there is nothing to send, or somebody else was here.
    async fn begin<'s>(
        &self,
        subscription: &'s Subscription,
        batch: &Batch,
    ) -> Result<Option<Place<'s>>> {
        let place = subscription.place();
        if subscription.batch_end.is_some() {
            return Ok(Some(place));
        }
        if batch.events.is_empty() {
            self.pass(place, batch.cursor).await?;
            return Ok(None);
        }
        let mut conn = self
            .deps
            .store
            .pool
            .acquire()
            .await
            .map_err(failed("a connection"))?;
        let number = subscriptions::begin_batch(&mut conn, place, batch.cursor).await?;
        Ok(number.map(|batch| Place { batch, ..place }))
    }

    /// Moves on without a message.
    async fn pass(&self, place: Place<'_>, to: FeedSequence) -> Result<()> {
        if place.cursor != to {
            let mut conn = self
                .deps
                .store
                .pool
                .acquire()
                .await
                .map_err(failed("a connection"))?;
            subscriptions::advance(&mut conn, place, to).await?;
        }
        Ok(())
    }

    /// Journal and place, in one transaction; the place moves with the batch's last message. False when
    /// somebody else has moved it: the message was delivered all the same.
    async fn note_success(&self, attempt: &Attempt<'_>, whole: bool) -> Result<bool> {
        let pool = &self.deps.store.pool;
        let mut transaction = pool.begin().await.map_err(failed("beginning"))?;
        let entry = self.entry(attempt, Outcome::Delivered);
        journal::insert(&mut *transaction, &self.id, &entry).await?;
        let noted = if whole {
            subscriptions::advance(&mut transaction, attempt.place, attempt.end).await?
        } else {
            subscriptions::delivered_part(&mut transaction, attempt.place).await?
        };
        transaction.commit().await.map_err(failed("committing"))?;
        Ok(noted)
    }

    /// Journal and what follows. Where the owner has paused the subscription meanwhile, or somebody else was
    /// here, nothing follows.
    async fn note_failure(&self, attempt: &Attempt<'_>, failure: &Failure) -> Result<()> {
        let after = self.after(failure, attempt.failures);
        let pool = &self.deps.store.pool;
        let mut transaction = pool.begin().await.map_err(failed("beginning"))?;
        let entry = self.entry(attempt, Outcome::Failed);
        journal::insert(&mut *transaction, &self.id, &entry).await?;
        let (place, failures) = (attempt.place, attempt.failures);
        let noted = subscriptions::failed(&mut transaction, place, failures, &after).await?;
        transaction.commit().await.map_err(failed("committing"))?;
        if !noted {
            return Ok(());
        }
        if let AfterFailure::Pause(_, reason) = &after {
            events::Paused {
                subscription_id: &self.id,
                reason,
            }
            .emit();
        }
        Ok(())
    }

    /// What follows after `failures` failures and one more.
    fn after(&self, failure: &Failure, failures: i32) -> AfterFailure {
        let now = self.deps.clock.now();
        if failure.gone {
            return AfterFailure::Pause(now, failure.reason.clone());
        }
        let step = usize::try_from(failures).unwrap_or(0);
        let Some(pause) = self.deps.settings.ladder.get(step) else {
            let reason = format!(
                "{} attempts failed in a row, the last one because {}",
                step + 1,
                failure.reason
            );
            return AfterFailure::Pause(now, reason);
        };
        AfterFailure::Retry(now + failure.pause.unwrap_or(*pause))
    }

    fn entry<'a>(&self, attempt: &Attempt<'a>, outcome: Outcome) -> Entry<'a> {
        Entry {
            kind: Kind::Events,
            outcome,
            message_id: &attempt.message.id,
            first: attempt.message.first,
            last: attempt.message.last,
            solar_system_id: attempt.message.solar_system_id,
            attempt: attempt.failures.saturating_add(1),
            status: attempt.sent.status,
            error: attempt.sent.reason(),
            at: self.deps.clock.now(),
            duration_ms: Some(attempt.sent.milliseconds()),
        }
    }

    /// Takes note of events that can't be had any more, and goes on after them.
    async fn skip(
        &self,
        subscription: &Subscription,
        to: FeedSequence,
        reason: &str,
    ) -> Result<()> {
        let from = subscription.cursor;
        let (first, last) = (from.min(to), from.max(to));
        let entry = Entry {
            kind: Kind::Skipped,
            outcome: Outcome::Skipped,
            message_id: "",
            first: FeedSequence(first.0 + 1),
            last,
            solar_system_id: None,
            attempt: 0,
            status: None,
            error: Some(reason),
            at: self.deps.clock.now(),
            duration_ms: None,
        };
        let pool = &self.deps.store.pool;
        let mut transaction = pool.begin().await.map_err(failed("beginning"))?;
        if subscriptions::advance(&mut transaction, subscription.place(), to).await? {
            journal::insert(&mut *transaction, &self.id, &entry).await?;
        }
        transaction.commit().await.map_err(failed("committing"))
    }
}

fn failed(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Query { operation, source }
}
