//! Webhooks to receivers that fail, mislead, or are not what they seem.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use wanderer_kills::domain::{FeedSequence, Filter, SigningSecret};
use wanderer_kills::feed::webhooks::Settings;
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::store::subscriptions::{self, Format, NewSubscription, Subscription};
use wanderer_kills::store::webhook_deliveries::{self, Delivery};
use wanderer_kills::upstream::http::SystemLookUp;

use crate::support::app::{JITA, PATIENCE, TestApp};
use crate::support::postgres::execute;
use crate::support::webhook::{Deliverer, Manner, Receiver, Turning, quick};

async fn subscribe(app: &TestApp, url: &str, format: Format) {
    let new = NewSubscription {
        subscription_id: "s",
        subscriber_id: "me",
        callback_url: url,
        filter: &Filter::default(),
        format,
        secret: &SigningSecret::new([1; 32]),
        cursor: FeedSequence(0),
        created_by: None,
    };
    subscriptions::insert(&app.state.store.pool, &new)
        .await
        .unwrap();
}

async fn journal(app: &TestApp) -> Vec<Delivery> {
    let mut page = webhook_deliveries::page(&app.state.store.pool, "s", i64::MAX, 100)
        .await
        .unwrap();
    page.reverse();
    page
}

/// Waits until the subscription is as wanted.
async fn until(app: &TestApp, wanted: impl Fn(&Subscription) -> bool) -> Subscription {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = subscriptions::get(&app.state.store.pool, "s")
            .await
            .unwrap()
            .unwrap();
        if wanted(&found) {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for the first failure; its reason.
async fn first_failure(app: &TestApp) -> String {
    until(app, |one| one.failures > 0).await;
    journal(app).await[0].error.clone().unwrap()
}

fn start_of_day() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn failures_climb_the_ladder_and_then_pause() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![500], "")).await;
    subscribe(&app, &receiver.url("/"), Format::Events).await;
    app.append([1], JITA).await;
    let clock = TestClock::at(start_of_day());
    let look_up = Arc::new(SystemLookUp);
    let deliverer = Deliverer::with(&app, quick(), clock.clone(), "127.0.0.0/8", look_up);
    let paused = until(&app, |one| one.paused_at.is_some()).await;
    let reason = paused.paused_reason.unwrap();
    assert!(reason.starts_with("6 attempts failed in a row"), "{reason}");
    assert!(reason.contains("500"), "{reason}");
    let minutes: Vec<i64> = journal(&app)
        .await
        .iter()
        .map(|one| (one.attempted_at - start_of_day()).num_minutes())
        .collect();
    assert_eq!(minutes, [0, 1, 6, 21, 81, 441]);
    let first = receiver.next().await;
    for _ in 1..6 {
        let next = receiver.next().await;
        assert_eq!(next.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(next.body, first.body);
    }
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn gone_pauses_at_once() {
    let app = TestApp::start().await;
    let receiver = Receiver::start(Manner::Statuses(vec![410], "")).await;
    subscribe(&app, &receiver.url("/"), Format::Events).await;
    app.append([1], JITA).await;
    let deliverer = Deliverer::start(&app, quick());
    let paused = until(&app, |one| one.paused_at.is_some()).await;
    assert_eq!(
        paused.paused_reason.unwrap(),
        "the receiver answered 410 Gone"
    );
    assert_eq!(paused.cursor, FeedSequence(0));
    deliverer.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let app = TestApp::start().await;
    let head = "location: http://127.0.0.1:1/\r\n";
    let mut receiver = Receiver::start(Manner::Statuses(vec![302], head)).await;
    subscribe(&app, &receiver.url("/"), Format::Events).await;
    app.append([1], JITA).await;
    let deliverer = Deliverer::start(&app, quick());
    let reason = first_failure(&app).await;
    assert!(reason.contains("redirects are not followed"), "{reason}");
    receiver.next().await;
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn a_private_address_is_not_connected_to() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let url = format!("http://2130706433:{}/", receiver.address().port());
    subscribe(&app, &url, Format::Events).await;
    app.append([1], JITA).await;
    let (clock, look_up) = (app.state.clock.clone(), Arc::new(SystemLookUp));
    let deliverer = Deliverer::with(&app, quick(), clock, "10.0.0.0/8", look_up);
    assert_eq!(
        first_failure(&app).await,
        "the callback URL points to an address that is not public"
    );
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn a_name_that_turns_to_a_private_address_is_caught() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let url = format!("http://turning.example:{}/", receiver.address().port());
    subscribe(&app, &url, Format::Events).await;
    // Allowed the first time; then another loopback address, which is not, although the port is the same.
    let turning = Turning(vec!["127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap()].into());
    let clock = app.state.clock.clone();
    let deliverer = Deliverer::with(&app, quick(), clock, "127.0.0.1/32", Arc::new(turning));
    app.append([1], JITA).await;
    receiver.next().await;
    until(&app, |one| one.cursor == FeedSequence(1)).await;
    app.append([2], JITA).await;
    until(&app, |one| one.failures > 0).await;
    let error = journal(&app).await[1].error.clone().unwrap();
    assert_eq!(
        error,
        "the callback URL points to an address that is not public"
    );
    deliverer.stop().await;
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn silence_is_a_failure_and_an_endless_answer_is_none() {
    let app = TestApp::start().await;
    let silent = Receiver::start(Manner::Silent).await;
    subscribe(&app, &silent.url("/"), Format::Events).await;
    app.append([1], JITA).await;
    let settings = Settings {
        timeout: Duration::from_millis(300),
        ..quick()
    };
    let deliverer = Deliverer::start(&app, settings);
    assert_eq!(
        first_failure(&app).await,
        "the receiver did not answer within 300 ms"
    );
    let mut endless = Receiver::start(Manner::Endless).await;
    let changes = subscriptions::Changes {
        callback_url: Some(endless.url("/")),
        ..subscriptions::Changes::default()
    };
    subscriptions::change(&app.state.store.pool, "s", &changes)
        .await
        .unwrap();
    endless.next().await;
    until(&app, |one| one.cursor == FeedSequence(1)).await;
    deliverer.stop().await;
}

#[tokio::test]
async fn what_is_no_longer_kept_is_skipped_in_sight() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    app.append([1, 2, 3], JITA).await;
    subscribe(&app, &receiver.url("/"), Format::Events).await;
    let store = app.state.store.clone();
    let mut transaction = store.pool.begin().await.unwrap();
    let tomorrow = app.state.clock.now() + chrono::TimeDelta::days(1);
    let pruned = wanderer_kills::store::feed::prune(&mut transaction, tomorrow, 2).await;
    assert_eq!(pruned.unwrap(), 2);
    transaction.commit().await.unwrap();
    let database = app.stop().await.unwrap();
    let cursor = "UPDATE subscriptions SET cursor = 1";
    execute(database.url(), cursor).await.unwrap();
    let app = TestApp::on(database).await;
    let deliverer = Deliverer::start(&app, quick());
    assert_eq!(receiver.next().await.json()["events"][0]["event_id"], 3);
    until(&app, |one| one.cursor == FeedSequence(3)).await;
    let entries = journal(&app).await;
    assert_eq!(entries[0].kind, "skipped");
    assert_eq!(
        (entries[0].first_sequence, entries[0].last_sequence),
        (2, 2)
    );
    deliverer.stop().await;
}

#[tokio::test]
async fn discord_gets_embeds_and_its_pauses_are_kept() {
    let app = TestApp::start().await;
    let head = "retry-after: 7\r\n";
    let mut receiver = Receiver::start(Manner::Statuses(vec![429, 200], head)).await;
    subscribe(&app, &receiver.url("/"), Format::Discord).await;
    app.append(1..=12, JITA).await;
    let clock = TestClock::at(start_of_day());
    let look_up = Arc::new(SystemLookUp);
    let deliverer = Deliverer::with(&app, quick(), clock.clone(), "127.0.0.0/8", look_up);
    let refused = receiver.next().await;
    let first = receiver.next().await;
    assert_eq!(refused.body, first.body);
    assert_eq!(first.json()["embeds"].as_array().unwrap().len(), 10);
    assert_eq!(
        first.json()["embeds"][0]["url"],
        json!("https://zkillboard.com/kill/1/")
    );
    let second = receiver.next().await;
    assert_eq!(second.json()["embeds"].as_array().unwrap().len(), 2);
    until(&app, |one| one.cursor == FeedSequence(12)).await;
    let waited = journal(&app).await[1].attempted_at - start_of_day();
    assert_eq!(waited.num_seconds(), 7);
    deliverer.stop().await;
}

#[tokio::test]
async fn of_two_processes_one_delivers() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    subscribe(&app, &receiver.url("/"), Format::Events).await;
    let first = Deliverer::start(&app, quick());
    let second = Deliverer::start(&app, quick());
    for id in 1..6 {
        app.append([id], JITA).await;
        let events = receiver.next().await.json()["events"].clone();
        assert_eq!(events[0]["event_id"], id);
    }
    first.stop().await;
    app.append([6], JITA).await;
    assert_eq!(receiver.next().await.json()["events"][0]["event_id"], 6);
    second.stop().await;
    assert!(receiver.is_idle());
}
