use std::num::NonZeroU32;
use std::time::Duration;

use chrono::NaiveDate;
use url::Url;

use crate::upstream::day_file::{self, Download, Version};
use crate::upstream::http::{self, Budget, HttpClient, Limits};
use crate::upstream::totals::{self, Totals};

/// Eight requests at once are refused, two are fine; a day takes longer than the pause.
const BUDGET: Budget = Budget {
    period: Duration::from_millis(100),
    burst: NonZeroU32::MIN.saturating_add(1),
    in_flight: NonZeroU32::MIN.saturating_add(1),
};
/// Twenty years of `"20211128":16511,` are 150 kB.
const TOTALS: Limits = Limits {
    body_bytes: 8 * 1024 * 1024,
    ..Limits::KILLMAIL
};

/// Asks EVE Ref. Cheap to clone; clones share the budget.
#[derive(Debug, Clone)]
pub struct EveRef {
    http: HttpClient,
    base: Url,
}

impl EveRef {
    /// A client of the server at `base`; sets its budget.
    pub fn new(http: HttpClient, base: Url) -> Self {
        http.set_budget(&base, "everef", BUDGET);
        Self { http, base }
    }

    /// How many killmails each day has.
    ///
    /// # Errors
    /// When the server fails to the end, or answers with something else.
    pub async fn totals(&self) -> http::Result<Totals> {
        let url = self.below("killmails/totals.json")?;
        let at = url.path().to_owned();
        let body = day_file::text(&self.http, url, TOTALS).await?;
        totals::read(&body).map_err(|reason| http::Error::Unreadable { at, reason })
    }

    /// The archive of a day, in one conditional request: the server's index of versions lags behind its files.
    ///
    /// # Errors
    /// When the server fails to the end, or the file can't be kept.
    pub async fn archive(
        &self,
        day: NaiveDate,
        known: Option<&Version>,
    ) -> Result<Download, day_file::Error> {
        let path = format!("killmails/{}/{}", day.format("%Y"), Self::archive_name(day));
        day_file::download(&self.http, self.below(&path)?, known).await
    }

    /// What the archive of a day is called.
    pub fn archive_name(day: NaiveDate) -> String {
        format!("killmails-{}.tar.bz2", day.format("%Y-%m-%d"))
    }

    fn below(&self, path: &str) -> http::Result<Url> {
        self.base
            .join(path)
            .map_err(|error| http::Error::Unreadable {
                at: self.base.path().to_owned(),
                reason: error.to_string(),
            })
    }
}
