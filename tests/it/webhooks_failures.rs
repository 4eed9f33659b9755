//! Webhooks to receivers that fail, mislead, or are not what they seem.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use wanderer_kills::domain::FeedSequence;
use wanderer_kills::feed::webhooks::Settings;
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::store::subscriptions::{self, Format};
use wanderer_kills::upstream::http::SystemLookUp;

use crate::support::app::{JITA, TestApp};
use crate::support::postgres::execute;
use crate::support::webhook::{
    Deliverer, DownUntil, Manner, Receiver, Turning, expect_events, journal, quick, subscribe,
    until,
};

/// Another subscription, whose receiver is well.
async fn bystander(app: &TestApp) -> Receiver {
    let receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    subscribe(app, "other", &receiver.url("/"), Format::Events).await;
    receiver
}

async fn resume(app: &TestApp) {
    let resumed = subscriptions::set_paused(&app.state.store.pool, "s", None).await;
    resumed.unwrap();
}

/// Waits for the first failure; its reason.
async fn first_failure(app: &TestApp) -> String {
    until(app, "s", |one| one.failures > 0).await;
    journal(app, "s").await[0].error.clone().unwrap()
}

fn start_of_day() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_receiver_that_is_down_for_two_hours_gets_everything_afterwards() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let url = format!("http://down.example:{}/", receiver.address().port());
    subscribe(&app, "s", &url, Format::Events).await;
    let mut other = bystander(&app).await;
    app.append([1, 2, 3], JITA).await;
    let clock = TestClock::at(start_of_day());
    let down = DownUntil(start_of_day() + TimeDelta::hours(2), clock.clone());
    let deliverer = Deliverer::with(&app, quick(), clock, "127.0.0.0/8", Arc::new(down));
    expect_events(&mut receiver, &[1, 2, 3]).await;
    app.append([4], JITA).await;
    expect_events(&mut receiver, &[4]).await;
    expect_events(&mut other, &[1, 2, 3, 4]).await;
    until(&app, "s", |one| one.cursor == FeedSequence(4)).await;
    let attempts: Vec<(i64, Option<String>)> = journal(&app, "s")
        .await
        .into_iter()
        .take(6)
        .map(|one| ((one.attempted_at - start_of_day()).num_minutes(), one.error))
        .collect();
    let unreachable = || Some("the receiver could not be reached".to_owned());
    let failed = [0, 1, 6, 21, 81].map(|minute| (minute, unreachable()));
    assert_eq!(attempts[..5], failed);
    assert_eq!(
        attempts[5],
        (441, None),
        "the first attempt after two hours"
    );
    deliverer.stop().await;
    assert!(receiver.is_idle() && other.is_idle());
}

#[tokio::test]
async fn failures_climb_the_ladder_and_then_pause() {
    let app = TestApp::start().await;
    let statuses = vec![500, 500, 500, 500, 500, 500, 200];
    let mut receiver = Receiver::start(Manner::Statuses(statuses, "")).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Events).await;
    let mut other = bystander(&app).await;
    app.append([1], JITA).await;
    let clock = TestClock::at(start_of_day());
    let look_up = Arc::new(SystemLookUp);
    let deliverer = Deliverer::with(&app, quick(), clock.clone(), "127.0.0.0/8", look_up);
    let paused = until(&app, "s", |one| one.paused_at.is_some()).await;
    let reason = paused.paused_reason.unwrap();
    assert!(reason.starts_with("6 attempts failed in a row"), "{reason}");
    assert!(reason.contains("500"), "{reason}");
    let minutes: Vec<i64> = journal(&app, "s")
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
    resume(&app).await;
    let last = receiver.next().await;
    assert_eq!(last.header("webhook-id"), first.header("webhook-id"));
    until(&app, "s", |one| one.cursor == FeedSequence(1)).await;
    expect_events(&mut other, &[1]).await;
    deliverer.stop().await;
    assert!(receiver.is_idle() && other.is_idle());
}

#[tokio::test]
async fn gone_pauses_at_once() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![410, 200], "")).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Events).await;
    let mut other = bystander(&app).await;
    app.append([1], JITA).await;
    let deliverer = Deliverer::start(&app, quick());
    let paused = until(&app, "s", |one| one.paused_at.is_some()).await;
    assert_eq!(
        paused.paused_reason.unwrap(),
        "the receiver answered 410 Gone"
    );
    assert_eq!(paused.cursor, FeedSequence(0));
    let refused = receiver.next().await;
    resume(&app).await;
    let taken = receiver.next().await;
    assert_eq!(taken.header("webhook-id"), refused.header("webhook-id"));
    until(&app, "s", |one| one.cursor == FeedSequence(1)).await;
    expect_events(&mut other, &[1]).await;
    deliverer.stop().await;
    assert!(receiver.is_idle() && other.is_idle());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let app = TestApp::start().await;
    let mut target = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let head = format!("location: {}\r\n", target.url("/")).leak();
    let mut receiver = Receiver::start(Manner::Statuses(vec![302], head)).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Events).await;
    let mut other = bystander(&app).await;
    app.append([1], JITA).await;
    let deliverer = Deliverer::start(&app, quick());
    let reason = first_failure(&app).await;
    assert!(reason.contains("redirects are not followed"), "{reason}");
    receiver.next().await;
    expect_events(&mut other, &[1]).await;
    deliverer.stop().await;
    assert!(receiver.is_idle() && target.is_idle() && other.is_idle());
}

#[tokio::test]
async fn a_private_address_is_not_connected_to() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    let url = format!("http://2130706433:{}/", receiver.address().port());
    subscribe(&app, "s", &url, Format::Events).await;
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
    subscribe(&app, "s", &url, Format::Events).await;
    let mut other = bystander(&app).await;
    // Allowed the first time; then another loopback address, which is not, although the port is the same.
    let turning = Turning(vec!["127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap()].into());
    let clock = app.state.clock.clone();
    let deliverer = Deliverer::with(&app, quick(), clock, "127.0.0.1/32", Arc::new(turning));
    app.append([1], JITA).await;
    receiver.next().await;
    until(&app, "s", |one| one.cursor == FeedSequence(1)).await;
    app.append([2], JITA).await;
    until(&app, "s", |one| one.failures > 0).await;
    let error = journal(&app, "s").await[1].error.clone().unwrap();
    assert_eq!(
        error,
        "the callback URL points to an address that is not public"
    );
    expect_events(&mut other, &[1, 2]).await;
    deliverer.stop().await;
    assert!(receiver.is_idle() && other.is_idle());
}

#[tokio::test]
async fn a_receiver_that_never_answers_has_failed() {
    let app = TestApp::start().await;
    let mut silent = Receiver::start(Manner::Silent).await;
    subscribe(&app, "s", &silent.url("/"), Format::Events).await;
    let mut other = bystander(&app).await;
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
    silent.next().await;
    expect_events(&mut other, &[1]).await;
    deliverer.stop().await;
    assert!(silent.is_idle() && other.is_idle());
}

#[tokio::test]
async fn of_an_answer_of_a_gigabyte_the_status_counts() {
    let app = TestApp::start().await;
    let mut endless = Receiver::start(Manner::Endless).await;
    subscribe(&app, "s", &endless.url("/"), Format::Events).await;
    let mut other = bystander(&app).await;
    app.append([1], JITA).await;
    let deliverer = Deliverer::start(&app, quick());
    until(&app, "s", |one| one.cursor == FeedSequence(1)).await;
    let entries = journal(&app, "s").await;
    let outcomes: Vec<(&str, Option<i32>)> = entries
        .iter()
        .map(|one| (one.outcome.as_str(), one.status))
        .collect();
    assert_eq!(outcomes, [("delivered", Some(200))]);
    endless.next().await;
    expect_events(&mut other, &[1]).await;
    deliverer.stop().await;
    assert!(endless.is_idle() && other.is_idle());
}

#[rstest::rstest]
#[case::somewhere(1, (2, 2))]
#[case::at_the_beginning(0, (1, 2))]
#[tokio::test]
async fn what_is_no_longer_kept_is_skipped_in_sight(
    #[case] cursor: i64,
    #[case] skipped: (i64, i64),
) {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    app.append([1, 2, 3], JITA).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Events).await;
    let store = app.state.store.clone();
    let mut transaction = store.pool.begin().await.unwrap();
    let tomorrow = app.state.clock.now() + TimeDelta::days(1);
    let pruned = wanderer_kills::store::feed::prune(&mut transaction, tomorrow, 2).await;
    assert_eq!(pruned.unwrap(), 2);
    transaction.commit().await.unwrap();
    let database = app.stop().await.unwrap();
    let update = format!("UPDATE subscriptions SET cursor = {cursor}");
    execute(database.url(), &update).await.unwrap();
    let app = TestApp::on(database).await;
    let deliverer = Deliverer::start(&app, quick());
    assert_eq!(receiver.next().await.json()["events"][0]["event_id"], 3);
    until(&app, "s", |one| one.cursor == FeedSequence(3)).await;
    let entries = journal(&app, "s").await;
    assert_eq!(entries[0].kind, "skipped");
    assert_eq!(
        (entries[0].first_sequence, entries[0].last_sequence),
        skipped
    );
    deliverer.stop().await;
}

#[tokio::test]
async fn discord_gets_embeds_and_its_pauses_are_kept() {
    let app = TestApp::start().await;
    let head = "retry-after: 7\r\n";
    let mut receiver = Receiver::start(Manner::Statuses(vec![429, 200], head)).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Discord).await;
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
    until(&app, "s", |one| one.cursor == FeedSequence(12)).await;
    let waited = journal(&app, "s").await[1].attempted_at - start_of_day();
    assert_eq!(waited.num_seconds(), 7);
    deliverer.stop().await;
}

#[tokio::test]
async fn of_two_processes_one_delivers() {
    let app = TestApp::start().await;
    let mut receiver = Receiver::start(Manner::Statuses(vec![200], "")).await;
    subscribe(&app, "s", &receiver.url("/"), Format::Events).await;
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
