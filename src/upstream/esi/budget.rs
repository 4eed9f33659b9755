//! One book of what ESI still grants, for all routes and all clones of the client.
//!
//! Every request takes a [`Ticket`] before it goes and gives it back with its end. What an answer says is left
//! counts less the tickets that are out, each at the price of an error, so that requests side by side can't
//! overshoot the edge together.

mod group;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;

use self::group::Group;
use super::events::BudgetTold;
use super::headers;
use super::operation::Operation;
use crate::upstream::http::HeaderMap;

/// Errors of the legacy limit that are left alone.
const ERROR_RESERVE: u64 = 15;
/// A legacy error window is a minute; so long is waited where the answer doesn't say.
const ERROR_WINDOW: Duration = Duration::from_mins(1);
/// How soon requests under way are likely to have told what is left.
const UNDER_WAY: Duration = Duration::from_secs(1);
/// Group names come from a server, so there is a limit to how many are remembered.
const MAX_GROUPS: usize = 64;
/// The first pause after a failure of the server; each further failure in a row doubles it.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest pause after failures.
const LONGEST_BACK_OFF: Duration = Duration::from_mins(1);
/// Up to this part of a pause comes on top, so that instances do not return together.
const JITTER: f64 = 0.5;

/// The book.
#[derive(Debug, Default)]
pub(super) struct EsiBudget {
    book: Mutex<Book>,
}

/// Why a request may not go, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) wait: Duration,
    pub(super) why: Why,
}

/// Why a request may not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The legacy error limit, which stops everything.
    Errors,
    /// The group's tokens, or a 429.
    Tokens,
    /// Requests under way may use up the rest.
    UnderWay,
    /// Failures of the server.
    Failing,
}

impl Why {
    /// For errors and logs.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Errors => "its error limit is nearly used up",
            Self::Tokens => "its rate limit is nearly used up",
            Self::UnderWay => "requests under way may use up its limit",
            Self::Failing => "it failed just now",
        }
    }
}

/// The right to send one request. Given back when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    budget: Arc<EsiBudget>,
    group: String,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut book = self.budget.lock();
        book.in_flight = book.in_flight.saturating_sub(1);
        if let Some(group) = book.groups.get_mut(&self.group) {
            group.in_flight = group.in_flight.saturating_sub(1);
        }
    }
}

#[derive(Debug, Default)]
struct Book {
    /// The group of a route, once an answer told it.
    group_of: HashMap<Operation, String>,
    groups: HashMap<String, Group>,
    back_offs: HashMap<Operation, BackOff>,
    /// Everything waits until then.
    all_until: Duration,
    /// Errors left of the legacy limit, and when its window ends.
    errors: Option<(u64, Duration)>,
    in_flight: u64,
}

#[derive(Debug, Default)]
struct BackOff {
    until: Duration,
    failures: u32,
}

impl EsiBudget {
    /// How long a route has to wait now; `None` may go.
    pub(super) fn wait(&self, operation: Operation, now: Duration) -> Option<Refusal> {
        self.lock().refusal(operation, now)
    }

    /// The right to ask a route once.
    pub(super) fn admit(
        self: &Arc<Self>,
        operation: Operation,
        now: Duration,
    ) -> Result<Ticket, Refusal> {
        let mut book = self.lock();
        if let Some(refusal) = book.refusal(operation, now) {
            return Err(refusal);
        }
        let group = book.group_name(operation).to_owned();
        book.in_flight += 1;
        if let Some(group) = book.group(&group) {
            group.in_flight += 1;
        }
        Ok(Ticket {
            budget: Arc::clone(self),
            group,
        })
    }

    /// Learns from an answer: its status, its headers, and `Retry-After` as read already.
    pub(super) fn observe(
        &self,
        operation: Operation,
        status: u16,
        headers: &HeaderMap,
        retry_after: Option<Duration>,
        now: Duration,
    ) {
        let mut book = self.lock();
        book.observe_errors(status, headers, retry_after, now);
        if let Some(name) = headers::group(headers)
            && book.group_name(operation) != name
            && book.group(name).is_some()
        {
            book.group_of.insert(operation, name.to_owned());
        }
        let name = book.group_name(operation).to_owned();
        let tokens = headers::tokens(headers);
        let told = BudgetTold {
            operation,
            tokens_left: tokens.map(|tokens| tokens.left),
            errors_left: book.errors.map(|(left, _)| left),
        };
        if let Some(group) = book.group(&name) {
            group.observe(status, tokens, retry_after, now);
        }
        drop(book);
        told.emit();
    }

    /// The server failed: 5XX, no answer, or nothing readable. Requests that were under way together make
    /// one failure.
    pub(super) fn failed(&self, operation: Operation, answered: bool, now: Duration) {
        let mut book = self.lock();
        if !answered && let Some((left, _)) = &mut book.errors {
            // A time-out counts there as an error, and nobody tells.
            *left = left.saturating_sub(1);
        }
        let back_off = book.back_offs.entry(operation).or_default();
        if back_off.until > now {
            return;
        }
        let doubled = FIRST_BACK_OFF.saturating_mul(1 << back_off.failures.min(6));
        let jitter = 1.0 + rand::rng().random_range(0.0..JITTER);
        back_off.until = now + doubled.mul_f64(jitter).min(LONGEST_BACK_OFF);
        back_off.failures = back_off.failures.saturating_add(1);
    }

    /// The server asked for a pause of a route's group.
    pub(super) fn pause(&self, operation: Operation, until: Duration) {
        let mut book = self.lock();
        let name = book.group_name(operation).to_owned();
        if let Some(group) = book.group(&name) {
            group.until = group.until.max(until);
        }
    }

    /// The server gave a proper answer, of any status below 500.
    pub(super) fn worked(&self, operation: Operation) {
        self.lock().back_offs.remove(&operation);
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// The name of the group that a route counts for: as told, or its own.
    fn group_name(&self, operation: Operation) -> &str {
        self.group_of
            .get(&operation)
            .map_or(operation.word(), String::as_str)
    }

    /// A group's page; `None` where there are too many.
    fn group(&mut self, name: &str) -> Option<&mut Group> {
        if !self.groups.contains_key(name) && self.groups.len() >= MAX_GROUPS {
            return None;
        }
        Some(self.groups.entry(name.to_owned()).or_default())
    }

    /// Why a route may not be asked now, the longest wait first.
    fn refusal(&self, operation: Operation, now: Duration) -> Option<Refusal> {
        let group = self.groups.get(self.group_name(operation));
        let back_off = self.back_offs.get(&operation);
        let pauses = [
            (self.all_until, Why::Errors),
            (group.map_or(Duration::ZERO, |it| it.until), Why::Tokens),
            (back_off.map_or(Duration::ZERO, |it| it.until), Why::Failing),
        ];
        let longest = pauses
            .into_iter()
            .map(|(until, why)| (until.saturating_sub(now), why))
            .max_by_key(|(wait, _)| *wait)
            .filter(|(wait, _)| !wait.is_zero());
        if let Some((wait, why)) = longest {
            return Some(Refusal { wait, why });
        }
        let errors_may_run_out = self.errors.is_some_and(|(left, ends)| {
            ends > now && self.in_flight > 0 && left.saturating_sub(self.in_flight) <= ERROR_RESERVE
        });
        let crowded = errors_may_run_out || group.is_some_and(Group::is_crowded);
        crowded.then_some(Refusal {
            wait: UNDER_WAY,
            why: Why::UnderWay,
        })
    }

    fn observe_errors(
        &mut self,
        status: u16,
        headers: &HeaderMap,
        retry_after: Option<Duration>,
        now: Duration,
    ) {
        let told = headers::errors(headers);
        let reset = headers::reset(headers)
            .unwrap_or(ERROR_WINDOW)
            .min(ERROR_WINDOW);
        if let Some(told) = told {
            self.errors = Some((told.left, now + reset));
        }
        if status == 420 || told.is_some_and(|told| told.left <= ERROR_RESERVE) {
            let pause = retry_after.unwrap_or(reset);
            self.all_until = self.all_until.max(now + pause);
        }
    }
}

#[cfg(test)]
mod tests;
