use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

use super::error::{Error, Result, place};

/// Longest part of an error's body that is kept for logs.
const EXCERPT_CHARACTERS: usize = 120;

/// How much one kind of request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the body, after decompression.
    pub body_bytes: usize,
    /// Longest silence: before the headers, and between two pieces of the body. Configuration may shorten it.
    pub stall: Duration,
    /// How much longer the server may hold the headers back by design; nothing shortens it.
    pub hold: Duration,
    /// Longest whole exchange.
    pub total: Duration,
}

impl Limits {
    /// A few numbers, such as `sequence.json`.
    pub const SMALL: Self = Self {
        body_bytes: 64 * 1024,
        stall: Duration::from_secs(15),
        hold: Duration::ZERO,
        total: Duration::from_secs(20),
    };
    /// One killmail: 10 000 attackers and as many items make about 4 MiB; 32 MiB leaves room for growth.
    pub const KILLMAIL: Self = Self {
        body_bytes: 32 * 1024 * 1024,
        stall: Duration::from_secs(15),
        hold: Duration::ZERO,
        total: Duration::from_mins(1),
    };
    /// 200 killmails: a megabyte or two, tens of them where a thousand pilots fought.
    pub const KILLMAIL_LIST: Self = Self {
        body_bytes: 128 * 1024 * 1024,
        stall: Duration::from_secs(30),
        hold: Duration::ZERO,
        total: Duration::from_mins(2),
    };
    /// A long poll: silent for up to a minute by design, then up to 100 killmails.
    pub const LONG_POLL: Self = Self {
        body_bytes: 32 * 1024 * 1024,
        stall: Duration::from_secs(15),
        hold: Duration::from_mins(1),
        total: Duration::from_mins(2),
    };
    /// A day's file, streamed: a raw day is 25 to 35 MiB, battle days a multiple.
    pub const DAY_FILE: Self = Self {
        body_bytes: 256 * 1024 * 1024,
        stall: Duration::from_secs(30),
        hold: Duration::ZERO,
        total: Duration::from_mins(30),
    };
    /// A file of static data, streamed: CCP's export is a zip of 99 MB.
    pub const STATIC_DATA: Self = Self {
        body_bytes: 1024 * 1024 * 1024,
        stall: Duration::from_secs(30),
        hold: Duration::ZERO,
        total: Duration::from_mins(30),
    };
}

/// What the body has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// JSON: an empty body and an HTML page are errors.
    Json,
    /// Anything.
    Bytes,
}

/// Where redirects may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Nowhere: a redirect is an error.
    Refuse,
    /// To the same host, or to one that has a budget of its own.
    KnownHosts,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) limits: Limits,
    pub(super) expect: Expect,
    pub(super) redirects: Redirects,
}

impl Request {
    /// A GET that expects JSON and refuses redirects.
    pub fn get(url: Url, limits: Limits) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            limits,
            expect: Expect::Json,
            redirects: Redirects::Refuse,
        }
    }

    /// A POST of a JSON text that expects JSON and refuses redirects.
    pub fn post_json(url: Url, body: Bytes, limits: Limits) -> Self {
        let mut request = Self::get(url, limits);
        request.method = Method::POST;
        request.body = Some(body);
        request.header("content-type", "application/json")
    }

    /// Adds a header; a value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// What the body has to look like.
    #[must_use]
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Where redirects may lead.
    #[must_use]
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }
}

/// An answer of any status, its body read.
#[derive(Debug, Clone)]
pub struct Response {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    pub(super) expect: Expect,
    pub(super) retry_after: Option<Duration>,
}

impl Response {
    /// The body of a success that looks as expected.
    ///
    /// # Errors
    /// Another status, an empty body or HTML where JSON was expected.
    pub fn into_body(self) -> Result<Bytes> {
        let at = place(&self.url);
        if !self.status.is_success() {
            return Err(Error::Status {
                at,
                status: self.status,
                retry_after: self.retry_after,
                excerpt: excerpt(&self.body),
            });
        }
        if self.expect == Expect::Bytes {
            return Ok(self.body);
        }
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Err(Error::EmptyBody { at }),
            Some(b'<') => Err(Error::Html {
                at,
                excerpt: excerpt(&self.body),
            }),
            Some(_) => Ok(self.body),
        }
    }
}

/// The beginning of a body, on one line.
pub(super) fn excerpt(body: &[u8]) -> String {
    // Four bytes hold any character, so this slice holds all that is shown.
    let head = body.get(..EXCERPT_CHARACTERS * 4).unwrap_or(body);
    String::from_utf8_lossy(head)
        .chars()
        .take(EXCERPT_CHARACTERS)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
