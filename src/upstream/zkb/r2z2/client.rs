use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json_borrow::Value;
use url::Url;

use super::step::{Answer, HeadAnswer};
use crate::domain::parse::{parse_value, r2z2_numbers};
use crate::domain::{Killmail, Parsed};
use crate::runtime::clock::SharedClock;
use crate::upstream::http::{
    Budget, Error, Expect, HttpClient, Limits, Request, Result, StatusCode,
};

/// Asks R2Z2, one request at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: HttpClient,
    base: Url,
}

/// The answer about one number, with what it brought.
#[derive(Debug)]
pub struct Document {
    /// What the policy needs to know.
    pub answer: Answer,
    /// The killmail, already parsed, where the document holds a whole one.
    pub killmail: Option<Box<Killmail>>,
    /// When its source says that it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// The bytes as received; empty where there were none.
    pub bytes: Bytes,
    /// Why there is no document, for the log.
    pub problem: Option<String>,
}

#[derive(Deserialize)]
struct SequenceFile {
    sequence: i64,
}

impl Client {
    /// A client of the server at `base`; its requests are at least `interval` apart.
    pub fn new(http: HttpClient, base: Url, interval: std::time::Duration) -> Self {
        http.set_budget(&base, "r2z2", Budget::one_in_flight(interval));
        Self { http, base }
    }

    /// The clock its budget runs on.
    pub fn clock(&self) -> &SharedClock {
        self.http.clock()
    }

    /// Reads `sequence.json`.
    pub async fn sequence(&self) -> HeadAnswer {
        match self.ask_sequence().await {
            Ok(number) => HeadAnswer::Number(number),
            Err(error) => {
                tracing::warn!(error = %error, "sequence.json could not be read");
                HeadAnswer::Failed(error.retry())
            }
        }
    }

    /// Asks for the document of one number.
    pub async fn document(&self, number: i64) -> Document {
        let path = format!("ephemeral/{number}.json");
        let asked = match self.url(&path) {
            // The body is judged here, since an unreadable one is kept.
            Ok(url) => {
                let request = Request::get(url, Limits::KILLMAIL).expect(Expect::Bytes);
                self.http.fetch(&request).await
            }
            Err(error) => Err(error),
        };
        match asked {
            Ok(bytes) => read(bytes),
            Err(error) => Document {
                answer: failure(&error),
                killmail: None,
                published_at: None,
                bytes: Bytes::new(),
                problem: Some(error.to_string()),
            },
        }
    }

    async fn ask_sequence(&self) -> Result<i64> {
        let url = self.url("ephemeral/sequence.json")?;
        let at = url.path().to_owned();
        let body = self.http.fetch(&Request::get(url, Limits::SMALL)).await?;
        let unreadable = |reason: String| Error::Unreadable { at, reason };
        match serde_json::from_slice::<SequenceFile>(&body) {
            Ok(file) if file.sequence > 0 => Ok(file.sequence),
            Ok(file) => Err(unreadable(format!("sequence is {}", file.sequence))),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    fn url(&self, path: &str) -> Result<Url> {
        self.base.join(path).map_err(|error| Error::Unreadable {
            at: self.base.path().to_owned(),
            reason: error.to_string(),
        })
    }
}

fn failure(error: &Error) -> Answer {
    if error.status() == Some(StatusCode::NOT_FOUND) {
        return Answer::Missing;
    }
    Answer::Failed(error.retry())
}

/// Judges a success' bytes.
fn read(bytes: Bytes) -> Document {
    let value: Value<'_> = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        Err(error) => {
            return Document {
                answer: Answer::Unreadable,
                killmail: None,
                published_at: None,
                bytes,
                problem: Some(format!("not JSON: {error}")),
            };
        }
    };
    let numbers = r2z2_numbers(&value);
    let (readable, killmail, problem) = match parse_value(&value) {
        Ok(Parsed::Killmail(killmail)) => (true, Some(killmail), None),
        Ok(Parsed::Reference(_)) => (true, None, None),
        Ok(Parsed::Nothing) => (false, None, Some("an empty package".to_owned())),
        Err(error) => (false, None, Some(error.to_string())),
    };
    Document {
        answer: Answer::Document {
            number: numbers.sequence_id,
            updated: numbers.sequence_updated,
            readable,
        },
        killmail,
        published_at: numbers.uploaded_at,
        bytes,
        problem,
    }
}
