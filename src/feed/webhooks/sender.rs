//! One POST and what follows from its answer.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::message::{self, Message};
use super::{WebhookDeps, events};
use crate::store::subscriptions::Subscription;
use crate::upstream::http::{self, GuardedAnswer, Limits, Request, StatusCode, retry_after};

/// Of an answer's body nobody reads more than a word.
const ANSWER_BYTES: usize = 64 * 1024;
/// The longest pause that a receiver is granted when it asks for one.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The shortest one.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How a message fared.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) status: Option<i32>,
    pub(super) took: Duration,
    /// Why it does not count as delivered.
    pub(super) failure: Option<Failure>,
}

/// Why a message does not count as delivered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// The receiver wants no more messages.
    pub(super) gone: bool,
    /// The pause that the receiver asks for.
    pub(super) pause: Option<Duration>,
}

impl Failure {
    fn new(reason: String) -> Self {
        Self {
            reason,
            gone: false,
            pause: None,
        }
    }
}

impl Sent {
    /// Milliseconds until the answer.
    pub(super) fn milliseconds(&self) -> i32 {
        i32::try_from(self.took.as_millis()).unwrap_or(i32::MAX)
    }

    /// Why it failed, for the journal.
    pub(super) fn reason(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.reason.as_str())
    }
}

/// Posts a message once, in its subscription's turn.
pub(super) async fn send(
    deps: &WebhookDeps,
    subscription: &Subscription,
    message: &Message,
    slow: bool,
) -> Sent {
    let turn = deps.turn(&subscription.subscription_id);
    let _turn = turn.lock().await;
    let places = if slow { &deps.slow } else { &deps.prompt };
    // The semaphore is never closed.
    let _place = places.acquire().await.ok();
    let started = deps.clock.monotonic();
    let (host, answer) = match Url::parse(&subscription.callback_url) {
        Ok(url) => {
            let host = url.host_str().unwrap_or_default().to_owned();
            let request = request(deps, subscription, message, url);
            (host, Some(deps.client.send(&request).await))
        }
        Err(_) => (String::new(), None),
    };
    let took = deps.clock.monotonic().saturating_sub(started);
    let (status, failure) = judge(deps, answer);
    let sent = Sent {
        status,
        took,
        failure,
    };
    events::Sent {
        subscription_id: &subscription.subscription_id,
        host: &host,
        error: sent.reason(),
        took,
    }
    .emit();
    sent
}

fn request(
    deps: &WebhookDeps,
    subscription: &Subscription,
    message: &Message,
    url: Url,
) -> Request {
    let now = deps.clock.now();
    let body = message::body(subscription.format, message, now);
    let timestamp = now.timestamp();
    let signature = subscription.secret.sign(&message.id, timestamp, &body);
    let limits = Limits {
        body_bytes: ANSWER_BYTES,
        stall: deps.settings.timeout,
        hold: Duration::ZERO,
        total: deps.settings.timeout,
    };
    Request::post_json(url, body, limits)
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", &timestamp.to_string())
        .header("webhook-signature", &signature)
}

fn judge(
    deps: &WebhookDeps,
    answer: Option<http::Result<GuardedAnswer>>,
) -> (Option<i32>, Option<Failure>) {
    let answer = match answer {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => return (None, Some(Failure::new(sentence(&error)))),
        None => {
            return (
                None,
                Some(Failure::new("there is no callback URL".to_owned())),
            );
        }
    };
    let status = Some(i32::from(answer.status.as_u16()));
    if answer.status.is_success() {
        return (status, None);
    }
    let mut failure = Failure::new(format!("the receiver answered {}", answer.status));
    if answer.status.is_redirection() {
        failure.reason.push_str("; redirects are not followed");
    }
    failure.gone = answer.status == StatusCode::GONE;
    if matches!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        failure.pause =
            asked_pause(&answer).or_else(|| retry_after(&answer.headers, deps.clock.now()));
        failure.pause = failure
            .pause
            .map(|pause| pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
    }
    (status, Some(failure))
}

/// Discord says it in the body, with fractions of a second.
fn asked_pause(answer: &GuardedAnswer) -> Option<Duration> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    Duration::try_from_secs_f64(body.get("retry_after")?.as_f64()?).ok()
}

/// What the owner is told. The address is left out: it may hold a key.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other errors belong to requests of another kind"
)]
fn sentence(error: &http::Error) -> String {
    match error {
        http::Error::Forbidden { .. } => {
            "the callback URL points to an address that is not public".to_owned()
        }
        http::Error::TimedOut { after, .. } => {
            format!(
                "the receiver did not answer within {} ms",
                after.as_millis()
            )
        }
        http::Error::Connection { .. } => "the receiver could not be reached".to_owned(),
        _ => "the message could not be sent".to_owned(),
    }
}
