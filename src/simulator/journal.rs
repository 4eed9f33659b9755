//! Every request that came, for tests to count.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One request with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// When it came.
    pub time: DateTime<Utc>,
    /// The method, in capitals.
    pub method: String,
    /// Path with query, such as `/redisq/listen.php?queueID=demo`.
    pub path: String,
    /// The status it was answered with; `None` while it is under way, or where it was cut off.
    pub status: Option<u16>,
    /// The User-Agent it came with.
    pub user_agent: Option<String>,
    /// The name of the fault that was played on it.
    pub fault: Option<&'static str>,
}

/// How many requests are kept; the oldest go first.
const KEPT: usize = 200_000;

/// The requests in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    requests: VecDeque<Request>,
    forgotten: usize,
}

impl Journal {
    /// Notes a request; the number is for [`Self::answered`].
    pub(crate) fn came(&mut self, request: Request) -> usize {
        if self.requests.len() == KEPT {
            self.requests.pop_front();
            self.forgotten += 1;
        }
        self.requests.push_back(request);
        self.forgotten + self.requests.len() - 1
    }

    /// Notes the answer to a request.
    pub(crate) fn answered(&mut self, number: usize, status: u16) {
        if let Some(it) = self.at(number) {
            it.status = Some(status);
        }
    }

    /// Notes the fault that is played on a request.
    pub(crate) fn faulted(&mut self, number: usize, fault: &'static str) {
        if let Some(it) = self.at(number) {
            it.fault = Some(fault);
        }
    }

    fn at(&mut self, number: usize) -> Option<&mut Request> {
        self.requests.get_mut(number.checked_sub(self.forgotten)?)
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn count(&self, path_prefix: &str) -> usize {
        self.requests
            .iter()
            .filter(|it| it.path.starts_with(path_prefix))
            .count()
    }
}
