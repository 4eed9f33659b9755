use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::budget::EsiBudget;
use crate::upstream::http::{
    Budget, Error, HttpClient, Pace, Request, Response, Result, retry_after,
};

/// The shapes this program was written for; ESI keeps them for whoever names the date.
const COMPATIBILITY_DATE: &str = "2026-08-18";
/// All routes together: 5 requests a second.
const PERIOD: Duration = Duration::from_millis(200);
/// Killmails: 1.5 a second of the 2 that their group grants.
const KILLMAIL_PERIOD: Duration = Duration::from_millis(667);
/// Killmails that may follow each other at once.
const KILLMAIL_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// Asks ESI. Cheap to clone; clones share the budgets.
#[derive(Debug, Clone)]
pub struct EsiClient {
    pub(super) http: HttpClient,
    pub(super) killmail_pace: Pace,
    base: Url,
    budget: Arc<EsiBudget>,
}

impl EsiClient {
    /// A client of the server at `base`.
    pub fn new(http: HttpClient, base: Url) -> Self {
        http.set_budget(
            &base,
            "esi",
            Budget {
                period: PERIOD,
                ..Budget::DEFAULT
            },
        );
        let clock = http.clock().clone();
        Self {
            killmail_pace: Pace::new(KILLMAIL_PERIOD, KILLMAIL_BURST, clock),
            http,
            base,
            budget: Arc::default(),
        }
    }

    /// The URL of a route below the base.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        self.base.join(path).map_err(|error| Error::Unreadable {
            at: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// How long a route of `group` has to wait now; `None` may go.
    pub(super) fn wait(&self, group: &str) -> Option<Duration> {
        self.budget.wait(group, self.http.clock().monotonic())
    }

    /// Asks once with the pinned date and learns from the answer's headers.
    pub(super) async fn ask(&self, group: &str, request: Request) -> Result<Response> {
        let request = request.header("x-compatibility-date", COMPATIBILITY_DATE);
        let response = self.http.send(&request).await?;
        let clock = self.http.clock();
        self.budget.observe(
            group,
            response.status.as_u16(),
            &response.headers,
            retry_after(&response.headers, clock.now()),
            clock.monotonic(),
        );
        Ok(response)
    }
}
