//! zKillboard's REST interface: one killmail by its id, for its values, and the past of an entity, page by page.
//!
//! Errors come as successes with an object where a list is expected; too many of them (40 in 5 minutes)
//! get an address redirected to a page of refusal.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use url::Url;

use crate::domain::{KillmailHash, Parsed, Zkb, parse};
use crate::upstream::http::{Budget, Error, HeaderMap, HttpClient, Limits, Request, Retry};

/// "Be polite": one request a second.
const PERIOD: Duration = Duration::from_secs(1);
/// The window in which refusals are counted: after it, all of them are forgotten.
const BLOCKED: Duration = Duration::from_mins(5);
/// The shortest pause for a server that is busy ("503 Reinforced mode").
const BUSY: Duration = Duration::from_mins(1);
/// After a refusal or an answer that makes no sense: 30 of them in 5 minutes stay below the 40 allowed.
const REFUSED: Duration = Duration::from_secs(10);

/// What zKillboard knows of a killmail.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundValues {
    /// The hash it has, where it has one.
    pub hash: Option<KillmailHash>,
    /// Values, flags and labels, where it has any.
    pub zkb: Option<Zkb>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// zKillboard refused the question itself.
    #[error("zKillboard refuses to tell of {subject}: {message}")]
    Refused {
        /// What was asked for, such as `killmail 7`.
        subject: String,
        /// What it says.
        message: String,
    },
    /// The answer is not what it should be.
    #[error("zKillboard's answer for {subject} can't be read: {reason}")]
    Unreadable {
        /// What was asked for.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Busy, blocked or away; it has nothing to do with the question.
    #[error("zKillboard can't be asked for {} s", pause.as_secs())]
    Unavailable {
        /// How long to leave it alone.
        pause: Duration,
        /// Its answer.
        #[source]
        source: Error,
    },
}

impl RestError {
    /// How long to leave the server alone.
    pub fn pause(&self) -> Duration {
        match self {
            Self::Refused { .. } | Self::Unreadable { .. } => REFUSED,
            Self::Unavailable { pause, .. } => *pause,
        }
    }

    /// True where the question is the reason, not the server's state.
    pub fn is_about_question(&self) -> bool {
        !matches!(self, Self::Unavailable { .. })
    }
}

/// Asks zKillboard's REST interface. Cheap to clone; clones share the budget.
#[derive(Debug, Clone)]
pub struct ZkbRest {
    http: HttpClient,
    base: Url,
}

impl ZkbRest {
    /// A client of the server at `base`, below which `api/` is.
    pub fn new(http: HttpClient, base: Url) -> Self {
        http.set_budget(&base, "zkb", Budget::one_in_flight(PERIOD));
        Self { http, base }
    }

    /// What zKillboard knows of a killmail; `None` where it does not have it (yet).
    ///
    /// # Errors
    /// See [`RestError`]; each one says how long to leave the server alone.
    pub async fn values(&self, killmail_id: i64) -> Result<Option<FoundValues>, RestError> {
        let subject = format!("killmail {killmail_id}");
        let path = format!("api/killID/{killmail_id}/");
        let (_, body) = self.ask(&subject, &path, Limits::KILLMAIL).await?;
        read(killmail_id, &body)
    }

    /// The body under a path, with the headers that came with it.
    pub(super) async fn ask(
        &self,
        subject: &str,
        path: &str,
        limits: Limits,
    ) -> Result<(HeaderMap, Bytes), RestError> {
        let url = self
            .base
            .join(path)
            .map_err(|error| unreadable(subject, error))?;
        let asked = self.http.send(&Request::get(url, limits)).await;
        let answer = asked.and_then(|response| {
            let headers = response.headers.clone();
            Ok((headers, response.into_body()?))
        });
        answer.map_err(|error| classify(subject, error))
    }

    /// The time on the clock that the budget runs on.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.clock().now()
    }
}

pub(super) fn unreadable(subject: &str, reason: impl std::fmt::Display) -> RestError {
    RestError::Unreadable {
        subject: subject.to_owned(),
        reason: reason.to_string(),
    }
}

fn classify(subject: &str, source: Error) -> RestError {
    let pause = match (&source, source.retry()) {
        (Error::EmptyBody { .. } | Error::TooLarge { .. } | Error::Unreadable { .. }, _) => {
            return unreadable(subject, source);
        }
        (Error::Html { .. }, _) | (_, Retry::Permanent) => BLOCKED,
        (_, Retry::Banned(pause)) => pause,
        (_, Retry::RateLimited(pause)) => pause.unwrap_or(BUSY).max(BUSY),
        (_, Retry::Transient) => BUSY,
    };
    RestError::Unavailable { pause, source }
}

/// The elements of a list. An object in its place says what is wrong.
pub(super) fn elements<'a>(subject: &str, body: &'a [u8]) -> Result<Vec<&'a RawValue>, RestError> {
    let error = match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Ok(elements) => return Ok(elements),
        Err(error) => error,
    };
    let answer: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| unreadable(subject, error))?;
    let message = answer.get("error").and_then(serde_json::Value::as_str);
    let message = message.ok_or_else(|| unreadable(subject, error))?;
    Err(RestError::Refused {
        subject: subject.to_owned(),
        message: message.chars().take(200).collect(),
    })
}

/// Reads a list of at most one killmail, with its body (since June 2026) or without.
fn read(killmail_id: i64, body: &[u8]) -> Result<Option<FoundValues>, RestError> {
    let subject = format!("killmail {killmail_id}");
    let elements = elements(&subject, body)?;
    let Some(element) = elements.first() else {
        return Ok(None);
    };
    let (found, hash, zkb) = match parse(element.get().as_bytes()) {
        Ok(Parsed::Killmail(killmail)) => (killmail.killmail_id, killmail.hash, killmail.zkb),
        Ok(Parsed::Reference(it)) => (it.killmail_id, Some(it.hash), it.zkb),
        Ok(Parsed::Nothing) => return Ok(None),
        Err(error) => return Err(unreadable(&subject, error)),
    };
    if found != killmail_id {
        return Err(unreadable(
            &subject,
            format!("it is about killmail {found}"),
        ));
    }
    Ok(Some(FoundValues { hash, zkb }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn element(id: i64) -> String {
        format!(r#"{{"killmail_id":{id},"zkb":{{"hash":"{HASH}","totalValue":5,"npc":false}}}}"#)
    }

    #[test]
    fn a_list_of_one_is_its_values() {
        let body = format!("[{}]", element(7));
        let found = read(7, body.as_bytes()).unwrap().unwrap();
        assert_eq!(found.hash.unwrap().to_string(), HASH);
        assert_eq!(found.zkb.unwrap().total_value, Some(5.0));
        assert_eq!(read(7, b"[]").unwrap(), None);
    }

    #[rstest]
    #[case(r#"{"error":"no"}"#.to_owned(), "zKillboard refuses to tell of killmail 7: no")]
    #[case(format!("[{}]", element(8)),
        "zKillboard's answer for killmail 7 can't be read: it is about killmail 8")]
    fn refusals_are_told_from_values(#[case] body: String, #[case] message: &str) {
        let error = read(7, body.as_bytes()).unwrap_err();
        assert!(error.is_about_question());
        assert_eq!(error.to_string(), message);
    }

    #[rstest]
    #[case("{}")]
    #[case("[1]")]
    #[case("[")]
    #[case("null")]
    fn nonsense_is_unreadable(#[case] body: &str) {
        let error = read(7, body.as_bytes()).unwrap_err();
        assert!(matches!(error, RestError::Unreadable { .. }), "{error}");
        assert_eq!(error.pause(), REFUSED);
    }

    fn status(code: u16, retry_after: Option<Duration>) -> Error {
        Error::Status {
            at: "zkb".to_owned(),
            status: code.try_into().unwrap(),
            retry_after,
            excerpt: String::new(),
        }
    }

    #[rstest]
    #[case::blocked(Error::Redirect { at: "zkb".to_owned(), problem: "away".to_owned() }, 300)]
    #[case::page(Error::Html { at: "zkb".to_owned(), excerpt: String::new() }, 300)]
    #[case::reinforced(status(503, None), 60)]
    #[case::busy_for_long(status(429, Some(Duration::from_secs(90))), 90)]
    #[case::busy_for_a_moment(status(429, Some(Duration::from_secs(1))), 60)]
    #[case::banned(status(403, None), 3600)]
    #[case::not_found(status(404, None), 300)]
    fn the_server_is_left_alone(#[case] error: Error, #[case] seconds: u64) {
        let error = classify("killmail 7", error);
        assert!(!error.is_about_question());
        assert_eq!(error.pause().as_secs(), seconds);
    }

    #[test]
    fn an_empty_answer_is_about_the_question() {
        let at = "zkb".to_owned();
        assert!(classify("killmail 7", Error::EmptyBody { at }).is_about_question());
    }
}
