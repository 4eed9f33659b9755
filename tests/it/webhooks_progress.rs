//! What is written down about a webhook's deliveries when processes crash, sleep, or meet the owner's wishes.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use wanderer_kills::domain::FeedSequence;
use wanderer_kills::store::subscriptions::{self, AfterFailure, Format};

use crate::support::app::{JITA, TestApp};
use crate::support::postgres::execute;
use crate::support::webhook::{
    Deliverer, Manner, Receiver, expect_events, journal, quick, stored, subscribe, until,
    until_journal,
};

/// An application with one event, a subscription to it, and a receiver whose answers wait for permits.
async fn scene(statuses: Vec<u16>) -> (TestApp, Receiver, Arc<Semaphore>) {
    let app = TestApp::start().await;
    let permits = Arc::new(Semaphore::new(0));
    let receiver = Receiver::start(Manner::Held(Arc::clone(&permits), statuses)).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Events).await;
    app.append([1], JITA).await;
    (app, receiver, permits)
}

async fn owner_pauses(app: &TestApp, paused: bool) {
    let asked = (app.state.clock.now(), "paused by its owner");
    subscriptions::set_paused(&app.state.store.pool, "s", paused.then_some(asked))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_crash_repeats_the_same_message_under_the_same_id() {
    let (app, mut receiver, permits) = scene(vec![200]).await;
    let deliverer = Deliverer::start(&app, quick());
    let lost = receiver.next().await;
    deliverer.crash().await;
    app.append([2], JITA).await;
    permits.add_permits(10);
    let deliverer = Deliverer::start(&app, quick());
    let again = receiver.next().await;
    assert_eq!(again.header("webhook-id"), lost.header("webhook-id"));
    assert_eq!(again.body, lost.body);
    expect_events(&mut receiver, &[2]).await;
    until(&app, "s", |one| one.cursor == FeedSequence(2)).await;
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn the_owners_pause_outlasts_a_failure_under_way() {
    let (app, mut receiver, permits) = scene(vec![500, 200]).await;
    let deliverer = Deliverer::start(&app, quick());
    let first = receiver.next().await;
    owner_pauses(&app, true).await;
    permits.add_permits(1);
    until_journal(&app, "s", 1).await;
    let paused = stored(&app, "s").await;
    assert_eq!(paused.paused_reason.as_deref(), Some("paused by its owner"));
    assert_eq!((paused.failures, paused.next_attempt_at), (0, None));
    owner_pauses(&app, false).await;
    permits.add_permits(1);
    let second = receiver.next().await;
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    until(&app, "s", |one| one.cursor == FeedSequence(1)).await;
    let entries = journal(&app, "s").await;
    let outcomes: Vec<&str> = entries.iter().map(|one| one.outcome.as_str()).collect();
    assert_eq!(outcomes, ["failed", "delivered"]);
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn what_arrived_during_the_owners_pause_is_not_sent_again() {
    let (app, mut receiver, permits) = scene(vec![200]).await;
    let deliverer = Deliverer::start(&app, quick());
    receiver.next().await;
    owner_pauses(&app, true).await;
    permits.add_permits(10);
    let paused = until(&app, "s", |one| one.cursor == FeedSequence(1)).await;
    assert_eq!(paused.paused_reason.as_deref(), Some("paused by its owner"));
    owner_pauses(&app, false).await;
    app.append([2], JITA).await;
    expect_events(&mut receiver, &[2]).await;
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn a_process_that_slept_writes_nothing_over_what_another_did() {
    let (app, mut receiver, permits) = scene(vec![500, 200]).await;
    let deliverer = Deliverer::start(&app, quick());
    receiver.next().await;
    // Meanwhile another process has delivered this batch and begun and ended the next.
    let other = "UPDATE subscriptions SET cursor = 2, batch = batch + 1, batch_end = NULL";
    execute(app.state.store.url.expose_secret(), other)
        .await
        .unwrap();
    app.append([2, 3], JITA).await;
    permits.add_permits(10);
    until_journal(&app, "s", 1).await;
    expect_events(&mut receiver, &[3]).await;
    let moved = until(&app, "s", |one| one.cursor == FeedSequence(3)).await;
    assert_eq!((moved.failures, moved.batch_end), (0, None));
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn of_two_writers_at_one_place_the_first_counts() {
    let (app, _receiver, _permits) = scene(vec![200]).await;
    let mut conn = app.state.store.pool.acquire().await.unwrap();
    let read = stored(&app, "s").await;
    let begun = subscriptions::begin_batch(&mut conn, read.place(), FeedSequence(1)).await;
    assert_eq!(begun.unwrap(), Some(1));
    let late = subscriptions::begin_batch(&mut conn, read.place(), FeedSequence(9)).await;
    assert_eq!(late.unwrap(), None);
    let now = app.state.clock.now();
    let retry = AfterFailure::Retry(now);
    let late = subscriptions::failed(&mut conn, read.place(), 0, &retry).await;
    assert!(!late.unwrap(), "of the batch before");
    let read = stored(&app, "s").await;
    let first = subscriptions::failed(&mut conn, read.place(), 0, &retry).await;
    let pause = AfterFailure::Pause(now, "too late".to_owned());
    let late = subscriptions::failed(&mut conn, read.place(), 0, &pause).await;
    assert_eq!((first.unwrap(), late.unwrap()), (true, false));
    let present = stored(&app, "s").await;
    let moved = subscriptions::advance(&mut conn, present.place(), FeedSequence(1)).await;
    assert!(moved.unwrap());
    let late = subscriptions::delivered_part(&mut conn, read.place()).await;
    assert!(!late.unwrap(), "the place has moved");
    let left = stored(&app, "s").await;
    assert_eq!(left.cursor, FeedSequence(1));
    assert_eq!((left.failures, left.paused_at), (0, None));
}
