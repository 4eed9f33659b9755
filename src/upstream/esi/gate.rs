//! What every request passes: the downtime, the budgets, the paces, and the lessons from its answer.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::budget::{Refusal, Ticket, Why};
use super::client::EsiClient;
use super::directory::{EsiError, Route};
use super::downtime::Gate;
use super::operation::Operation;
use crate::upstream::http::{Error, Limits, Request, Response, Retry, retry_after};

/// The shapes this program was written for; ESI keeps them for whoever names the date.
const COMPATIBILITY_DATE: &str = "2026-08-18";
/// Times that a request is sent before its failure is told. Sporadic 504s pass within seconds.
const TRIES: usize = 3;
/// The longest pause after a failure that is waited for on the spot.
const ON_THE_SPOT: Duration = Duration::from_secs(6);
/// No maintenance notice is longer.
const LONGEST_NOTICE: usize = 1024;
/// Told to callers after a notice.
pub(super) const IN_MAINTENANCE: &str = "it is in maintenance";
/// What the notice says.
const NOTICE: &str = "maintenance mode";

/// Everything but killmails: 1000 names make about 100 KiB, a group lists all of its types.
pub(super) const LIMITS: Limits = Limits {
    body_bytes: 1024 * 1024,
    stall: Duration::from_secs(15),
    hold: Duration::ZERO,
    total: Duration::from_secs(25),
};

#[derive(Deserialize)]
struct Notice {
    error: String,
}

impl EsiClient {
    /// How long a request of this kind has to wait now: used-up budgets, downtime, an open breaker. `None`
    /// may go (and may still wait for its pace, less than a second).
    pub fn unavailable_for(&self, route: Route) -> Option<Duration> {
        let now = self.http.clock().monotonic();
        let budgets = route
            .operations()
            .iter()
            .filter_map(|operation| Some(self.budget.wait(*operation, now)?.wait))
            .max();
        let time = self.http.clock().now();
        let downtime = self.downtime(|downtime| downtime.wait(time, now));
        [budgets, downtime, self.left_alone_for()]
            .into_iter()
            .flatten()
            .max()
    }

    /// A GET of a route.
    pub(super) fn get_request(&self, operation: Operation, id: i64) -> Result<Request, Error> {
        Ok(dated(Request::get(self.url(&operation.path(id))?, LIMITS)))
    }

    /// Asks until there is an answer that `read` can read, up to [`TRIES`] times.
    pub(super) async fn ask<T: Send>(
        &self,
        operation: Operation,
        request: Request,
        read: impl Fn(Bytes) -> Result<T, Error> + Send + Sync,
    ) -> Result<T, EsiError> {
        let mut tries = 1;
        loop {
            // Before the pace, so that a used-up budget is told at once, and after it, when it counts.
            drop(self.pass(operation).await?);
            self.turn(operation).await;
            let permit = self.in_flight.acquire().await;
            let ticket = self.pass(operation).await?;
            let asked = self.exchange(operation, &request, &read).await;
            drop((permit, ticket));
            match asked {
                Err(EsiError::Failed { source })
                    if source.retry() == Retry::Transient && tries < TRIES =>
                {
                    tries += 1;
                }
                asked => return asked,
            }
        }
    }

    /// The right to send one request, as soon as there is nothing but a short pause in the way.
    async fn pass(&self, operation: Operation) -> Result<Ticket, EsiError> {
        loop {
            self.pass_downtime().await?;
            let clock = self.http.clock();
            match self.budget.admit(operation, clock.monotonic()) {
                Ok(ticket) => return Ok(ticket),
                Err(Refusal {
                    wait,
                    why: Why::Failing,
                }) if wait <= ON_THE_SPOT => clock.sleep(wait).await,
                Err(Refusal { wait, why }) => return Err(not_now(wait, why.words())),
            }
        }
    }

    /// Whoever comes first asks for the status; all others are sent away until it is good.
    async fn pass_downtime(&self) -> Result<(), EsiError> {
        let clock = self.http.clock();
        let (now, monotonic) = (clock.now(), clock.monotonic());
        match self.downtime(|downtime| downtime.gate(now, monotonic)) {
            Gate::Open => return Ok(()),
            Gate::Shut { wait, cause } => return Err(not_now(wait, cause.words())),
            Gate::Probe => {}
        }
        let passed = self.probe().await;
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let wait = self.downtime(|downtime| {
            match passed {
                Ok(true) => downtime.probe_passed(now),
                Ok(false) | Err(EsiError::Failed { .. }) => {
                    downtime.probe_failed(monotonic, None);
                }
                Err(EsiError::NotNow { wait, .. }) => {
                    downtime.probe_failed(monotonic, Some(wait));
                }
            }
            downtime.wait(now, monotonic)
        });
        wait.map_or(Ok(()), |wait| Err(not_now(wait, "its status is not good")))
    }

    /// Sends one request and learns from its answer.
    pub(super) async fn exchange<T>(
        &self,
        operation: Operation,
        request: &Request,
        read: &(impl Fn(Bytes) -> Result<T, Error> + Send + Sync),
    ) -> Result<T, EsiError> {
        let clock = self.http.clock();
        let response = match self.http.send(request).await {
            Ok(response) => response,
            Err(Error::BreakerOpen { wait, .. }) => {
                return Err(not_now(wait, "it failed repeatedly"));
            }
            Err(source) => {
                self.budget.failed(operation, false, clock.monotonic());
                return Err(EsiError::Failed { source });
            }
        };
        let now = clock.monotonic();
        self.budget.observe(
            operation,
            response.status.as_u16(),
            &response.headers,
            retry_after(&response.headers, clock.now()),
            now,
        );
        if is_maintenance(&response) {
            self.downtime(|downtime| downtime.maintenance(now));
            let wait = self.downtime(|downtime| downtime.wait(clock.now(), now));
            return Err(not_now(wait.unwrap_or_default(), IN_MAINTENANCE));
        }
        match response.into_body().and_then(read) {
            Ok(answer) => {
                self.budget.worked(operation);
                Ok(answer)
            }
            Err(source) => Err(self.learn(operation, source, now)),
        }
    }

    fn learn(&self, operation: Operation, source: Error, now: Duration) -> EsiError {
        match source.retry() {
            Retry::Transient => self.budget.failed(operation, true, now),
            Retry::Permanent => self.budget.worked(operation),
            Retry::RateLimited(asked) => {
                let told = self.budget.wait(operation, now).map(|refusal| refusal.wait);
                let wait = told.into_iter().chain(asked).max().unwrap_or_default();
                self.budget.pause(operation, now + wait);
                return not_now(wait, "it asked for a pause");
            }
            Retry::Banned(wait) => {
                self.budget.pause(operation, now + wait);
                return not_now(wait, "it forbids asking");
            }
        }
        EsiError::Failed { source }
    }
}

/// The request, for the shapes that this program knows.
pub(super) fn dated(request: Request) -> Request {
    request.header("x-compatibility-date", COMPATIBILITY_DATE)
}

/// True where ESI itself said no, and not some page of a server before it.
pub(super) fn is_refused(error: &EsiError, statuses: &[u16]) -> bool {
    let EsiError::Failed {
        source: Error::Status {
            status, excerpt, ..
        },
    } = error
    else {
        return false;
    };
    statuses.contains(&status.as_u16()) && excerpt.trim_start().starts_with('{')
}

pub(super) fn not_now(wait: Duration, why: &'static str) -> EsiError {
    EsiError::NotNow { wait, why }
}

/// True for the notice that stands in for answers during maintenance, with any status.
fn is_maintenance(response: &Response) -> bool {
    response.body.len() <= LONGEST_NOTICE
        && serde_json::from_slice::<Notice>(&response.body)
            .is_ok_and(|notice| notice.error.to_ascii_lowercase().contains(NOTICE))
}
