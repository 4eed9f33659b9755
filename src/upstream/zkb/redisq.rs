//! The RedisQ protocol: a server keeps a queue per reader and forgets what it has handed out.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;
use rand::distr::Alphanumeric;
use serde_json::value::RawValue;
use url::Url;

use crate::upstream::http::{
    Budget, Error, HttpClient, Limits, Redirects, Request, Result, Retry, StatusCode,
};

/// RedisQ allows 2 requests a second; an idle poll takes seconds anyway.
const PERIOD: Duration = Duration::from_millis(500);
/// Seconds that `listen.php` may hold an idle poll: the most the protocol allows.
const WAIT_SECONDS: &str = "10";
/// Random characters of a queue's name: two installations never share a queue.
const QUEUE_RANDOM: usize = 20;
/// Most killmails taken from one poll; killmail.stream sends 100 at most.
const MAX_PACKAGES: usize = 1000;

/// A reader's queue at a RedisQ-compatible server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: HttpClient,
    base: Url,
    queue_id: String,
}

/// A new name for a queue, to be kept: the server remembers the queue's place by it.
pub fn new_queue_id() -> String {
    let random: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(QUEUE_RANDOM)
        .map(char::from)
        .collect();
    format!("wanderer-kills-{random}")
}

impl Client {
    /// A reader of `queue_id`. A base whose path ends in `/poll` speaks killmail.stream's poll, any other
    /// one `listen.php`.
    pub fn new(http: HttpClient, base: Url, queue_id: String) -> Self {
        // `listen.php` answers with a redirect, which is a second request.
        http.set_budget(
            &base,
            "redisq",
            Budget {
                period: PERIOD,
                burst: NonZeroU32::MIN.saturating_add(1),
                in_flight: NonZeroU32::MIN,
            },
        );
        Self {
            http,
            base,
            queue_id,
        }
    }

    /// Waits for what is new: the JSON of each killmail (with or without its body), oldest first; none when
    /// the server had nothing.
    ///
    /// # Errors
    /// As the HTTP client, and [`Error::Unreadable`] when the answer is no JSON.
    pub async fn poll(&self) -> Result<Vec<Bytes>> {
        let url = self.url()?;
        let request = Request::get(url, Limits::LONG_POLL).redirects(Redirects::KnownHosts);
        let body = self.http.fetch(&request).await?;
        packages(&body).map_err(|error| Error::Unreadable {
            at: self.base.path().to_owned(),
            reason: error.to_string(),
        })
    }

    fn url(&self) -> Result<Url> {
        let unreadable = |reason: String| Error::Unreadable {
            at: self.base.path().to_owned(),
            reason,
        };
        let path = self.base.path().trim_end_matches('/');
        let mut url = self.base.clone();
        if path.ends_with("/poll") {
            url.set_path(&format!("{path}/{}", self.queue_id));
            return Ok(url);
        }
        url = url
            .join("listen.php")
            .map_err(|error| unreadable(error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("queueID", &self.queue_id)
            .append_pair("ttw", WAIT_SECONDS);
        Ok(url)
    }
}

/// What to do after a failed poll. Every refusal passes some day: an object that is gone (404), another
/// reader on the same queue (429), a queue that is shutting down (403).
pub fn retry(error: &Error) -> Retry {
    match (error.status(), error.retry()) {
        (Some(StatusCode::NOT_FOUND), _) | (_, Retry::Permanent) => Retry::Transient,
        (_, retry) => retry,
    }
}

/// The killmails of one answer: an array of them, or a single package.
fn packages(body: &Bytes) -> Result<Vec<Bytes>, serde_json::Error> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let items: Vec<&RawValue> = serde_json::from_slice(body)?;
        return Ok(items
            .iter()
            .take(MAX_PACKAGES)
            .map(|item| Bytes::copy_from_slice(item.get().as_bytes()))
            .collect());
    }
    let value: serde_json::Value = serde_json::from_slice(body)?;
    let nothing = value.get("package").is_some_and(serde_json::Value::is_null);
    Ok(if nothing {
        Vec::new()
    } else {
        vec![body.clone()]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Result<Vec<Bytes>, serde_json::Error> {
        packages(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn packages_and_arrays_are_taken_apart() {
        assert!(read(r#"{"package":null}"#).unwrap().is_empty());
        assert!(read("[]").unwrap().is_empty());
        assert_eq!(read(r#"{"package":{"killID":1}}"#).unwrap().len(), 1);
        let two = read(r#" [{"killmail_id":1}, {"killmail_id":2}]"#).unwrap();
        assert_eq!(two[1], r#"{"killmail_id":2}"#);
        assert!(read(r#"{"package":"#).is_err());
    }

    #[test]
    fn queue_names_are_long_and_differ() {
        let name = new_queue_id();
        assert!(name.len() >= 16 && name.len() <= 128);
        assert_ne!(name, new_queue_id());
    }
}
