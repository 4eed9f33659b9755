mod open;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderValue, USER_AGENT};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::body::BodyStream;
use super::budget::{Budget, Host, Hosts};
use super::error::{Error, Result, host, place, status_word};
use super::events::{BreakerClosed, BreakerOpened, RequestEnded};
use super::redirect::next_url;
use super::request::{Limits, Request, Response};
use super::retry_after::retry_after;
use crate::runtime::clock::SharedClock;
use crate::runtime::tls;

pub use open::Opened;

/// Redirects followed for one request: RedisQ needs one.
const MAX_REDIRECTS: usize = 5;

/// Program and version.
const PROGRAM: &str = concat!("wanderer-kills/", env!("CARGO_PKG_VERSION"));

/// How the client behaves towards every host.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Who we say we are. Characters that a header can't carry make it the bare program name.
    pub user_agent: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Shortens every request's longest silence; tests use it.
    pub longest_stall: Option<Duration>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            user_agent: PROGRAM.to_owned(),
            connect_timeout: Duration::from_secs(10),
            longest_stall: None,
        }
    }
}

impl HttpSettings {
    /// Who we say we are, as a header.
    pub(super) fn user_agent_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.user_agent)
            .unwrap_or_else(|_| HeaderValue::from_static(PROGRAM))
    }
}

/// The client. Cheap to clone; all clones share budgets and breakers.
#[derive(Debug, Clone)]
pub struct HttpClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: reqwest::Client,
    clock: SharedClock,
    hosts: Hosts,
    longest_stall: Option<Duration>,
}

impl HttpClient {
    /// A client with no host's budget set yet.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(settings: &HttpSettings, clock: SharedClock) -> Result<Self> {
        tls::install();
        let agent = settings.user_agent_header();
        let client = reqwest::Client::builder()
            .default_headers([(USER_AGENT, agent)].into_iter().collect())
            .connect_timeout(settings.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|source| Error::Build {
                source: Arc::new(source),
            })?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                hosts: Hosts::new(clock.clone()),
                clock,
                longest_stall: settings.longest_stall,
            }),
        })
    }

    /// Sets what the server at `base` may be asked; replaces an earlier budget. `name` is its word in metrics.
    pub fn set_budget(&self, base: &Url, name: &'static str, budget: Budget) {
        self.shared.hosts.set(base, name, budget);
    }

    /// How much longer the server of `url` is left alone after failures; `None` where it may be asked.
    pub fn left_alone_for(&self, url: &Url) -> Option<Duration> {
        let now = self.shared.clock.monotonic();
        self.shared.hosts.get(url).breaker().remaining(now)
    }

    /// How much longer the server of `url` is left alone while its breaker is open: zero where the next request
    /// decides, `None` where the breaker is closed.
    pub fn breaker_open_for(&self, url: &Url) -> Option<Duration> {
        let now = self.shared.clock.monotonic();
        self.shared.hosts.known(url)?.breaker().open(now)
    }

    /// The clock its budgets run on.
    pub fn clock(&self) -> &SharedClock {
        &self.shared.clock
    }

    /// Asks once and reads the body, whatever the status. Waits for the host's budget first.
    ///
    /// # Errors
    /// No connection, a time-out, a body too large, a redirect that is not followed, an open breaker.
    pub async fn send(&self, request: &Request) -> Result<Response> {
        let mut request = request.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.exchange(&request).await?;
            let Some(next) = next_url(&request, &response, &self.shared.hosts)? else {
                return Ok(response);
            };
            request.url = next;
        }
        Err(Error::Redirect {
            at: place(&request.url),
            problem: format!("more than {MAX_REDIRECTS} times"),
        })
    }

    /// Asks once; the body of a success that looks as expected.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`Response::into_body`].
    pub async fn fetch(&self, request: &Request) -> Result<bytes::Bytes> {
        self.send(request).await?.into_body()
    }

    /// Asks once and hands out the body of a success as it comes. Redirects are errors.
    ///
    /// # Errors
    /// As [`send`](Self::send), and any status that is not a success.
    pub async fn stream(&self, request: &Request) -> Result<BodyStream> {
        let name = host(&request.url);
        let entry = self.shared.hosts.get(&request.url);
        let (permit, _) = self.take_turn(&name, &entry).await?;
        let answer = self.begin(request).await;
        self.account(
            &name,
            &entry,
            answer.as_ref().map(reqwest::Response::status),
        );
        let answer = answer?;
        if !answer.status().is_success() {
            return Err(Error::Status {
                at: place(&request.url),
                status: answer.status(),
                retry_after: retry_after(answer.headers(), self.shared.clock.now()),
                excerpt: String::new(),
            });
        }
        let limits = self.shortened(request.limits);
        Ok(BodyStream::new(answer, request.url.clone(), limits, permit))
    }

    #[tracing::instrument(
        name = "upstream request", level = "debug", skip_all,
        fields(method = %request.method, at = place(&request.url))
    )]
    async fn exchange(&self, request: &Request) -> Result<Response> {
        let name = host(&request.url);
        let entry = self.shared.hosts.get(&request.url);
        let (permit, waited) = self.take_turn(&name, &entry).await?;
        let started = self.shared.clock.monotonic();
        let total = request.limits.total;
        let answer = tokio::time::timeout(total, self.read(request, permit))
            .await
            .unwrap_or_else(|_| {
                Err(Error::TimedOut {
                    at: place(&request.url),
                    after: total,
                })
            });
        self.account(
            &name,
            &entry,
            answer.as_ref().map(|response| response.status),
        );
        RequestEnded {
            name: entry.name,
            host: &name,
            path: request.url.path(),
            outcome: match &answer {
                Ok(response) => status_word(response.status),
                Err(error) => error.outcome(),
            },
            took: self.shared.clock.monotonic().saturating_sub(started),
            waited,
            bytes: answer.as_ref().map_or(0, |response| response.body.len()),
        }
        .emit();
        answer
    }

    async fn read(
        &self,
        request: &Request,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Response> {
        let answer = self.begin(request).await?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let limits = self.shortened(request.limits);
        let body = BodyStream::new(answer, request.url.clone(), limits, permit)
            .collect()
            .await?;
        Ok(Response {
            url: request.url.clone(),
            status,
            retry_after: retry_after(&headers, self.shared.clock.now()),
            headers,
            body,
            expect: request.expect,
        })
    }

    /// Sends the request and waits for the headers.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that sends requests"
    )]
    async fn begin(&self, request: &Request) -> Result<reqwest::Response> {
        let mut builder = self
            .shared
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let limits = self.shortened(request.limits);
        let stall = limits.stall.saturating_add(limits.hold);
        tokio::time::timeout(stall, builder.send())
            .await
            .map_err(|_| Error::TimedOut {
                at: place(&request.url),
                after: stall,
            })?
            .map_err(|source| Error::Connection {
                at: place(&request.url),
                source: Arc::new(source.without_url()),
            })
    }

    /// Waits for the host's budget; returns how long its pace alone took.
    async fn take_turn(
        &self,
        name: &str,
        entry: &Host,
    ) -> Result<(Option<OwnedSemaphorePermit>, Duration)> {
        self.admit(name, entry)?;
        let permit = entry.enter().await;
        let waited = entry.pace.acquire().await;
        // The breaker may have opened meanwhile: a queue of requests must not go on against a dead host.
        self.admit(name, entry)?;
        Ok((permit, waited))
    }

    fn admit(&self, name: &str, entry: &Host) -> Result<()> {
        let now = self.shared.clock.monotonic();
        entry.breaker().remaining(now).map_or(Ok(()), |wait| {
            Err(Error::BreakerOpen {
                host: name.to_owned(),
                wait,
            })
        })
    }

    /// Tells the breaker. Only silence and 5xx are failures: any other answer shows that the host works.
    fn account(&self, name: &str, entry: &Host, answer: Result<reqwest::StatusCode, &Error>) {
        let failed = match answer {
            Ok(status) => status.is_server_error(),
            Err(Error::Connection { .. } | Error::TimedOut { .. }) => true,
            Err(_) => return,
        };
        let mut breaker = entry.breaker();
        if !failed {
            if breaker.succeeded() {
                BreakerClosed {
                    name: entry.name,
                    host: name,
                }
                .emit();
            }
        } else if let Some(pause) = breaker.failed(self.shared.clock.monotonic()) {
            BreakerOpened {
                name: entry.name,
                host: name,
                pause,
            }
            .emit();
        }
    }

    fn shortened(&self, limits: Limits) -> Limits {
        let longest = self.shared.longest_stall.unwrap_or(limits.stall);
        Limits {
            stall: limits.stall.min(longest),
            ..limits
        }
    }
}
