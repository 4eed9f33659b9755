use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

/// How long a 403 is taken to last: R2Z2 answers so for an hour to whoever asked too fast.
const BAN: Duration = Duration::from_hours(1);

/// What went wrong with one request. `at` is host and path, without the query. Cheap to clone: requests
/// that are shared share their error.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client could not be built.
    #[error("the HTTP client can't be built")]
    Build {
        /// Why.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// No connection, or it broke off.
    #[error("the connection for {at} failed")]
    Connection {
        /// Host and path.
        at: String,
        /// Why.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The server took too long.
    #[error("{at} did not answer within {} ms", after.as_millis())]
    TimedOut {
        /// Host and path.
        at: String,
        /// The limit that ran out.
        after: Duration,
    },
    /// Not a success.
    #[error("{at} answered {status}: {excerpt}")]
    Status {
        /// Host and path.
        at: String,
        /// The status.
        status: StatusCode,
        /// From the `Retry-After` header.
        retry_after: Option<Duration>,
        /// The body's beginning.
        excerpt: String,
    },
    /// A success without a body.
    #[error("{at} answered with an empty body")]
    EmptyBody {
        /// Host and path.
        at: String,
    },
    /// A page where JSON was expected.
    #[error("{at} answered with HTML instead of JSON: {excerpt}")]
    Html {
        /// Host and path.
        at: String,
        /// The body's beginning.
        excerpt: String,
    },
    /// More bytes than this kind of request may have, counted after decompression.
    #[error("{at} answered with more than {limit} bytes")]
    TooLarge {
        /// Host and path.
        at: String,
        /// The limit, bytes.
        limit: usize,
    },
    /// A redirect that is not followed: elsewhere, nowhere, or once too often.
    #[error("{at} redirects {problem}")]
    Redirect {
        /// Host and path.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An address that nothing may be sent to.
    #[error("{at} is no public address")]
    Forbidden {
        /// Host and path.
        at: String,
    },
    /// The host failed too often in a row and is left alone for a while.
    #[error("{host} is left alone for {} ms after failures", wait.as_millis())]
    BreakerOpen {
        /// The host.
        host: String,
        /// How much longer.
        wait: Duration,
    },
    /// The body is not what the caller can read.
    #[error("{at} answered with something unreadable: {reason}")]
    Unreadable {
        /// Host and path.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Ask again after a growing pause.
    Transient,
    /// Ask again after this long, where the server said how long.
    RateLimited(Option<Duration>),
    /// Asking again changes nothing.
    Permanent,
    /// Asking again makes it worse; leave the host alone for this long.
    Banned(Duration),
}

impl Error {
    /// What to do next.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Status {
                status,
                retry_after,
                ..
            } => classify(*status, *retry_after),
            Self::BreakerOpen { wait, .. } => Retry::RateLimited(Some(*wait)),
            Self::Connection { .. }
            | Self::TimedOut { .. }
            | Self::EmptyBody { .. }
            | Self::Html { .. }
            | Self::Unreadable { .. } => Retry::Transient,
            Self::Build { .. }
            | Self::TooLarge { .. }
            | Self::Redirect { .. }
            | Self::Forbidden { .. } => Retry::Permanent,
        }
    }

    /// The status, where the server gave one that is not a success.
    pub fn status(&self) -> Option<StatusCode> {
        if let Self::Status { status, .. } = self {
            return Some(*status);
        }
        None
    }

    /// A bounded word for metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Build { .. } => "build",
            Self::Connection { .. } => "connection",
            Self::TimedOut { .. } => "timeout",
            Self::Status { status, .. } => status_word(*status),
            Self::EmptyBody { .. } => "empty_body",
            Self::Html { .. } => "html",
            Self::TooLarge { .. } => "too_large",
            Self::Redirect { .. } => "redirect",
            Self::Forbidden { .. } => "forbidden_address",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

/// A bounded word for a status.
pub(super) fn status_word(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "ok",
        304 => "not_modified",
        300..=399 => "redirect",
        403 => "forbidden",
        404 => "not_found",
        420 | 429 => "rate_limited",
        400..=499 => "client_error",
        _ => "server_error",
    }
}

fn classify(status: StatusCode, retry_after: Option<Duration>) -> Retry {
    match (status.as_u16(), retry_after) {
        (420 | 429, wait) => Retry::RateLimited(wait),
        (503, Some(wait)) => Retry::RateLimited(Some(wait)),
        (403, _) => Retry::Banned(BAN),
        (408 | 425, _) => Retry::Transient,
        (code, _) if code >= 500 => Retry::Transient,
        _ => Retry::Permanent,
    }
}

/// The client's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Host and path of a URL: what errors and logs show of it.
pub(super) fn place(url: &Url) -> String {
    format!("{}{}", host(url), url.path())
}

/// Host and, where given, port.
pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(429, Some(7), Retry::RateLimited(Some(Duration::from_secs(7))))]
    #[case(429, None, Retry::RateLimited(None))]
    #[case(420, Some(30), Retry::RateLimited(Some(Duration::from_secs(30))))]
    #[case(503, Some(5), Retry::RateLimited(Some(Duration::from_secs(5))))]
    #[case(503, None, Retry::Transient)]
    #[case(502, None, Retry::Transient)]
    #[case(408, None, Retry::Transient)]
    #[case(403, None, Retry::Banned(BAN))]
    #[case(404, None, Retry::Permanent)]
    #[case(422, None, Retry::Permanent)]
    fn a_status_says_what_to_do_next(
        #[case] status: u16,
        #[case] retry_after: Option<u64>,
        #[case] expected: Retry,
    ) {
        let error = Error::Status {
            at: "host/path".to_owned(),
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(Duration::from_secs),
            excerpt: String::new(),
        };
        assert_eq!(error.retry(), expected);
    }

    #[test]
    fn errors_show_the_host_and_path_but_no_query() {
        let url = Url::parse("http://127.0.0.1:9000/listen.php?queueID=secret").unwrap();
        assert_eq!(place(&url), "127.0.0.1:9000/listen.php");
    }
}
