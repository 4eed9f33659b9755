//! Every kind of answer that ESI is known to give: what becomes of the question, how often it is asked, and
//! how long the client keeps away afterwards, on the test clock.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use wanderer_kills::domain::KillmailHash;
use wanderer_kills::runtime::clock::TestClock;
use wanderer_kills::upstream::esi::{EsiClient, EsiError, EsiPace, KillmailError, Route};
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use super::support::scripted::{Scripted, answer};

/// So fast that every wait on the clock is one for ESI's sake.
pub(crate) const PACE: EsiPace = EsiPace {
    all: Duration::from_millis(1),
    names: Duration::from_millis(1),
    killmails: Duration::from_millis(1),
};

const GOOD: &str = r#"{"name":"Corporation","ticker":"CORP","member_count":3}"#;
const NOT_FOUND: &str = r#"{"error":"Corporation not found"}"#;
const PAGE: &str = "<html>\r\n<head><title>504 Gateway Time-out</title></head></html>";
const NOTICE: &str = r#"{"error":"ESI is currently in maintenance mode. Please try again later."}"#;
const LIMITED: &str = r#"{"error":"This software has exceeded the error limit for ESI."}"#;

pub(crate) fn client(url: &url::Url, time: &str) -> (EsiClient, Arc<TestClock>) {
    let clock = TestClock::at(format!("2026-11-24T{time}Z").parse().unwrap());
    let settings = HttpSettings {
        longest_stall: Some(Duration::from_millis(200)),
        ..HttpSettings::default()
    };
    let http = HttpClient::new(&settings, clock.clone()).unwrap();
    (EsiClient::with_pace(http, url.clone(), PACE), clock)
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", &[], body)
}

/// What became of a question.
#[derive(Debug, PartialEq)]
enum Came {
    Name,
    Nothing,
    NotNow(u64),
    Failure,
}

async fn ask_corporation(esi: &EsiClient) -> Came {
    match esi.corporation(98_000_001).await {
        Ok(Some(_)) => Came::Name,
        Ok(None) => Came::Nothing,
        Err(EsiError::NotNow { wait, .. }) => Came::NotNow(wait.as_secs()),
        Err(_) => Came::Failure,
    }
}

/// Whole seconds, rounded up: what is left of a wait that began a moment ago.
fn left(wait: Option<Duration>) -> u64 {
    let milliseconds = wait.unwrap_or_default().as_millis();
    u64::try_from(milliseconds.div_ceil(1_000)).unwrap()
}

/// After one answer: the outcome, requests sent, seconds that this route and that others keep away.
#[rstest]
#[case::good(ok(GOOD), Came::Name, 1, 0, 0)]
#[case::new_fields(
    ok(r#"{"name":"C","ticker":"T","palette":{"main":1},"state":"new"}"#),
    Came::Name,
    1,
    0,
    0
)]
#[case::no_ticker(ok(r#"{"name":"C"}"#), Came::Name, 1, 0, 0)]
#[case::tokens_left(answer("200 OK", &["X-Ratelimit-Group: corporation", "X-Ratelimit-Limit: 3600/15m", "X-Ratelimit-Remaining: 3000", "X-Ratelimit-Used: 600"], GOOD), Came::Name, 1, 0, 0)]
#[case::tokens_scarce(answer("200 OK", &["X-Ratelimit-Group: corporation", "X-Ratelimit-Limit: 3600/15m", "X-Ratelimit-Remaining: 300"], GOOD), Came::Name, 1, 90, 0)]
#[case::tokens_of_the_killmails(answer("200 OK", &["X-Ratelimit-Group: killmail", "X-Ratelimit-Limit: 3600/15m", "X-Ratelimit-Used: 3590"], GOOD), Came::Name, 1, 90, 90)]
#[case::errors_left(answer("404 Not Found", &["X-ESI-Error-Limit-Remain: 99", "X-ESI-Error-Limit-Reset: 41"], NOT_FOUND), Came::Nothing, 1, 0, 0)]
#[case::errors_scarce(answer("404 Not Found", &["X-ESI-Error-Limit-Remain: 12", "X-ESI-Error-Limit-Reset: 41"], NOT_FOUND), Came::Nothing, 1, 41, 41)]
#[case::error_limited(answer("420 Enhance Your Calm", &["X-ESI-Error-Limit-Remain: 0", "X-ESI-Error-Limit-Reset: 23"], LIMITED), Came::NotNow(23), 1, 23, 23)]
#[case::error_limited_in_silence(answer("420 Enhance Your Calm", &[], LIMITED), Came::NotNow(60), 1, 60, 60)]
#[case::too_many(answer("429 Too Many Requests", &["Retry-After: 7", "X-Ratelimit-Group: corporation", "X-Ratelimit-Limit: 600/15m", "X-Ratelimit-Remaining: 0"], r#"{"error":"slow down"}"#), Came::NotNow(7), 1, 7, 0)]
#[case::too_many_until_a_date(answer("429 Too Many Requests", &["Retry-After: Tue, 24 Nov 2026 15:02:00 GMT"], ""), Came::NotNow(120), 1, 120, 0)]
#[case::too_many_from_the_game_server(answer("429 Too Many Requests", &[], ""), Came::NotNow(60), 1, 60, 0)]
#[case::busy(answer("503 Service Unavailable", &["Retry-After: 30"], ""), Came::NotNow(30), 1, 30, 0)]
#[case::forbidden(answer("403 Forbidden", &[], PAGE), Came::NotNow(3600), 1, 3600, 0)]
#[case::maintenance(answer("503 Service Unavailable", &[], NOTICE), Came::NotNow(30), 1, 30, 30)]
#[case::maintenance_by_the_balancer(answer("502 Bad Gateway", &[], NOTICE), Came::NotNow(30), 1, 30, 30)]
#[case::maintenance_as_success(ok(NOTICE), Came::NotNow(30), 1, 30, 30)]
#[case::not_found(answer("404 Not Found", &[], NOT_FOUND), Came::Nothing, 1, 0, 0)]
#[case::a_page_that_is_not_found(answer("404 Not Found", &[], PAGE), Came::Failure, 1, 0, 0)]
#[case::refused(answer("400 Bad Request", &[], r#"{"error":"bad id","details":[{"location":"path.corporation_id"}]}"#), Came::Failure, 1, 0, 0)]
#[case::moved(answer("302 Found", &["Location: /elsewhere"], ""), Came::Failure, 1, 2, 0)]
#[case::another_shape(ok(r#"{"title":"C"}"#), Came::Failure, 1, 0, 0)]
#[tokio::test]
async fn an_answer_is_believed_at_once(
    #[case] bytes: Vec<u8>,
    #[case] came: Came,
    #[case] requests: usize,
    #[case] own_wait: u64,
    #[case] other_wait: u64,
) {
    let server = Scripted::start(move |_, _| bytes.clone()).await;
    let (esi, clock) = client(&server.url, "15:00:00");
    assert_eq!(ask_corporation(&esi).await, came);
    assert_eq!(server.heads().len(), requests);
    assert_eq!(left(esi.unavailable_for(Route::Corporation)), own_wait);
    assert_eq!(left(esi.unavailable_for(Route::Killmail)), other_wait);
    assert!(clock.sleeps().is_empty(), "{:?}", clock.sleeps());

    if own_wait > 6 {
        // Nothing is sent until the wait is over.
        let refused = esi.corporation(98_000_002).await.unwrap_err();
        assert!(matches!(refused, EsiError::NotNow { .. }), "{refused}");
        assert_eq!(server.heads().len(), requests);
        clock.advance(Duration::from_secs(own_wait));
        assert_eq!(esi.unavailable_for(Route::Corporation), None);
    }
}

#[rstest]
#[case::gateway_timeout(answer("504 Gateway Time-out", &[], PAGE))]
#[case::gateway_timeout_as_json(answer("504 Gateway Time-out", &[], r#"{"error":"Timeout contacting tranquility"}"#))]
#[case::bad_gateway(answer("502 Bad Gateway", &[], PAGE))]
#[case::unavailable(answer("503 Service Unavailable", &[], ""))]
#[case::broken(answer("500 Internal Server Error", &[], "{}"))]
#[case::a_page_as_success(ok(PAGE))]
#[case::empty_success(ok(""))]
#[case::half_a_body(ok(r#"{"name":"Corp"#))]
#[case::cut_connection(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{".to_vec())]
#[case::no_answer(Vec::new())]
#[tokio::test]
async fn a_failure_is_retried_after_growing_pauses(#[case] bytes: Vec<u8>) {
    let once = bytes.clone();
    let server = Scripted::start(move |number, _| match number {
        0 | 1 => once.clone(),
        _ => ok(GOOD),
    })
    .await;
    let (esi, clock) = client(&server.url, "15:00:00");
    assert_eq!(ask_corporation(&esi).await, Came::Name);
    let pauses: Vec<f64> = clock.sleeps().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(pauses.len(), 2, "{pauses:?}");
    assert!((1.0..=1.5).contains(&pauses[0]), "{pauses:?}");
    assert!((2.0..=3.0).contains(&pauses[1]), "{pauses:?}");
    assert_eq!(esi.unavailable_for(Route::Corporation), None);

    let server = Scripted::start(move |_, _| bytes.clone()).await;
    let (esi, clock) = client(&server.url, "15:00:00");
    assert_eq!(ask_corporation(&esi).await, Came::Failure);
    assert_eq!(server.heads().len(), 3);
    let wait = esi.unavailable_for(Route::Corporation).unwrap();
    assert!((4.0..=6.0).contains(&wait.as_secs_f64()), "{wait:?}");
    assert_eq!(esi.unavailable_for(Route::Killmail), None);
    // A failure is not kept: after its pause the server is asked anew.
    clock.advance(wait);
    ask_corporation(&esi).await;
    assert!(server.heads().len() > 3);
}

#[tokio::test]
async fn requests_name_the_program_and_the_date() {
    let server = Scripted::start(|_, _| ok(GOOD)).await;
    let (esi, _) = client(&server.url, "15:00:00");
    assert_eq!(ask_corporation(&esi).await, Came::Name);
    let head = &server.heads()[0];
    assert!(head.starts_with("get /corporations/98000001 http/1.1\r\n"));
    assert!(head.contains("\r\nx-compatibility-date: 2026-08-18\r\n"));
    assert!(head.contains("\r\nuser-agent: wanderer-kills/"));
    assert!(head.contains("\r\naccept-encoding: gzip\r\n"));
}

fn hash() -> KillmailHash {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

#[rstest]
#[case::wrong_hash("422 Unprocessable Entity")]
#[case::wrong_hash_by_the_gateway("400 Bad Request")]
#[case::not_found("404 Not Found")]
#[tokio::test]
async fn a_hash_is_given_up_after_three_refusals(#[case] status: &'static str) {
    let body = r#"{"error":"Invalid killmail_id and/or killmail_hash"}"#;
    let server = Scripted::start(move |_, _| answer(status, &[], body)).await;
    let (esi, clock) = client(&server.url, "15:00:00");
    let error = esi.killmail(7, hash()).await.unwrap_err();
    assert!(error.is_final(), "{error}");
    assert_eq!(server.heads().len(), 3);
    assert_eq!(clock.sleeps(), [Duration::from_millis(500); 2]);
}

#[rstest]
#[case::too_many(answer("429 Too Many Requests", &["Retry-After: 7"], ""), 7)]
#[case::error_limited(answer("420 Enhance Your Calm", &["X-ESI-Error-Limit-Reset: 23"], LIMITED), 23)]
#[case::maintenance(ok(NOTICE), 30)]
#[tokio::test]
async fn a_killmail_is_refused_at_once_while_nothing_is_asked(
    #[case] bytes: Vec<u8>,
    #[case] seconds: u64,
) {
    let server = Scripted::start(move |_, _| bytes.clone()).await;
    let (esi, clock) = client(&server.url, "15:00:00");
    for _ in 0..2 {
        let error = esi.killmail(7, hash()).await.unwrap_err();
        let KillmailError::Budget { wait } = error else {
            panic!("{error:?}");
        };
        assert_eq!(wait.as_secs(), seconds);
    }
    assert_eq!(server.heads().len(), 1);
    assert!(clock.sleeps().is_empty());
}
