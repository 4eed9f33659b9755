use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::events::{CheckEnded, RowsKnown};
use super::load::{Outcome, Report, load};
use crate::runtime::clock::SharedClock;
use crate::store::reference_data::{self, LastLoad};
use crate::store::{self, Store};
use crate::upstream::http::{Attempts, HttpClient};
use crate::upstream::static_data::{self, StaticDataClient};

/// Time between two checks. Builds come once a day or less, and servers ask for one check an hour at most.
const PERIOD: Duration = Duration::from_hours(6);

/// Pauses after a failed check.
const BACK_OFF: Attempts = Attempts {
    more: usize::MAX,
    first_pause: Duration::from_mins(1),
    longest_pause: Duration::from_hours(1),
};

/// What keeping reference data fresh needs.
#[derive(Debug, Clone)]
pub struct ReferenceDataDeps {
    /// Where it is written.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The one client.
    pub http: HttpClient,
    /// Where it comes from.
    pub origin: Url,
}

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the origin's data can't be had")]
    Origin(#[from] static_data::Error),
    #[error("the database failed")]
    Store(#[from] store::Error),
}

/// Loads what is newer at the origin, now and every six hours, until `token` is cancelled. When the last check
/// was is kept in the database, so that a restart or a second process does not ask again at once. Failures are
/// logged and retried with growing pauses; a file that is refused is looked at again at the next check.
pub async fn keep_fresh(deps: ReferenceDataDeps, token: CancellationToken) {
    token.run_until_cancelled(keep_on(&deps)).await;
}

async fn keep_on(deps: &ReferenceDataDeps) {
    let client = StaticDataClient::new(deps.http.clone(), deps.origin.clone());
    let mut pauses = BACK_OFF.pauses();
    let mut is_retry = false;
    loop {
        let checked = check(deps, &client, is_retry).await;
        let (wait, failed) = match &checked {
            Ok(Checked::NotDue(wait)) => (*wait, false),
            Ok(Checked::Unchanged | Checked::Loaded(_)) => (PERIOD, false),
            Err(Error::Origin(error)) if !error.is_transient() => (PERIOD, false),
            Err(_) => (pauses.next().unwrap_or(BACK_OFF.longest_pause), true),
        };
        if !failed {
            pauses = BACK_OFF.pauses();
        }
        is_retry = failed;
        report(checked, wait);
        deps.clock.sleep(wait).await;
    }
}

/// What a check found.
#[derive(Debug)]
enum Checked {
    /// It is too soon.
    NotDue(Duration),
    /// The stored version is the newest.
    Unchanged,
    /// Something newer.
    Loaded(Report),
}

async fn check(
    deps: &ReferenceDataDeps,
    client: &StaticDataClient,
    is_retry: bool,
) -> Result<Checked, Error> {
    let now = deps.clock.now();
    let origin = client.origin();
    let loads = reference_data::last_loads(&deps.store.pool).await?;
    for load in &loads {
        RowsKnown { load }.emit();
    }
    let own: Vec<&LastLoad> = loads.iter().filter(|load| load.origin == origin).collect();
    let wait = until_due(&own, now);
    if !wait.is_zero() && !is_retry {
        return Ok(Checked::NotDue(wait));
    }
    reference_data::record_check(&deps.store.pool, &origin, now).await?;
    let Some(data) = client.fetch(common_version(&own, loads.len())).await? else {
        return Ok(Checked::Unchanged);
    };
    let report = load(&deps.store, &data, false, deps.clock.now()).await?;
    Ok(Checked::Loaded(report))
}

/// How long until `loads` are to be checked; no time where there are none.
fn until_due(loads: &[&LastLoad], now: DateTime<Utc>) -> Duration {
    loads
        .iter()
        .map(|load| load.checked_at)
        .max()
        .map_or(Duration::ZERO, |checked| {
            // A check that lies ahead of our clock was made by another machine, just now.
            let ago = (now - checked).to_std().unwrap_or_default();
            PERIOD.saturating_sub(ago)
        })
}

/// The version that all tables have, which need not be loaded again.
fn common_version<'a>(own: &[&'a LastLoad], tables: usize) -> Option<&'a str> {
    let version = own.first()?.version.as_deref()?;
    let common = own.len() == tables
        && own
            .iter()
            .all(|load| load.version.as_deref() == Some(version));
    common.then_some(version)
}

fn report(checked: Result<Checked, Error>, wait: Duration) {
    let (outcome, reason) = match checked {
        Ok(Checked::NotDue(_)) => return,
        Ok(Checked::Unchanged) => ("unchanged", None),
        Ok(Checked::Loaded(report)) => {
            let refused = |it: &super::Loaded| matches!(it.outcome, Outcome::Refused { .. });
            if report.tables.iter().any(refused) {
                ("refused", Some(report.refusals().join("; ")))
            } else {
                ("loaded", None)
            }
        }
        Err(error) => {
            let transient = match &error {
                Error::Origin(error) => error.is_transient(),
                Error::Store(_) => true,
            };
            let reason = crate::ingest::dead_letter::chain(&error);
            (if transient { "failed" } else { "refused" }, Some(reason))
        }
    };
    CheckEnded {
        outcome,
        reason,
        wait,
    }
    .emit();
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn last(subject: &str, version: Option<&str>, checked_at: &str) -> LastLoad {
        LastLoad {
            subject: subject.to_owned(),
            origin: "https://example.org/".to_owned(),
            version: version.map(str::to_owned),
            row_count: 1,
            checked_at: checked_at.parse().unwrap(),
        }
    }

    #[rstest]
    #[case("2026-11-24T00:00:00Z", 6 * 3600)]
    #[case("2026-11-23T23:00:00Z", 5 * 3600)]
    #[case("2026-11-23T18:00:00Z", 0)]
    #[case("2026-11-01T00:00:00Z", 0)]
    #[case("2026-11-24T00:30:00Z", 6 * 3600)]
    fn a_check_is_due_six_hours_after_the_last(#[case] checked: &str, #[case] seconds: u64) {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let load = last("ship_types", None, checked);
        assert_eq!(until_due(&[&load], now), Duration::from_secs(seconds));
        assert_eq!(until_due(&[], now), Duration::ZERO);
    }

    #[rstest]
    #[case(Some("1"), Some("1"), 2, Some("1"))]
    #[case(Some("1"), Some("2"), 2, None)]
    #[case(Some("1"), None, 2, None)]
    #[case(Some("1"), Some("1"), 3, None)]
    fn a_version_counts_where_all_tables_have_it(
        #[case] types: Option<&str>,
        #[case] systems: Option<&str>,
        #[case] tables: usize,
        #[case] expected: Option<&str>,
    ) {
        let now = "2026-11-24T00:00:00Z";
        let loads = [
            last("ship_types", types, now),
            last("solar_systems", systems, now),
        ];
        assert_eq!(
            common_version(&loads.iter().collect::<Vec<_>>(), tables),
            expected
        );
    }
}
