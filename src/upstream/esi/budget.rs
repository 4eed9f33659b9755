//! What ESI's headers say about how much may still be asked. One book for all routes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::upstream::http::HeaderMap;

/// Share of a group's tokens that is left alone (a tenth), for other programs behind the same address.
const RESERVE: u64 = 10;
/// Errors of the legacy limit that are left alone.
const ERROR_RESERVE: u64 = 15;
/// A legacy error window is a minute; so long is waited where the answer doesn't say.
const ERROR_WINDOW: Duration = Duration::from_mins(1);
/// Group names come from a server, so there is a limit to how many are remembered.
const MAX_GROUPS: usize = 64;

/// The book of ESI's budgets.
#[derive(Debug, Default)]
pub struct EsiBudget {
    pauses: Mutex<Pauses>,
}

#[derive(Debug, Default)]
struct Pauses {
    /// Everything waits until then.
    all: Duration,
    /// The routes of a group wait until then.
    groups: HashMap<String, Duration>,
}

impl EsiBudget {
    /// How long a route of `group` has to wait now; `None` may go.
    pub fn wait(&self, group: &str, now: Duration) -> Option<Duration> {
        let pauses = self.lock();
        let until = pauses
            .groups
            .get(group)
            .copied()
            .unwrap_or_default()
            .max(pauses.all);
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Learns from an answer: its status, its headers, and `Retry-After` as read already.
    pub fn observe(
        &self,
        group: &str,
        status: u16,
        headers: &HeaderMap,
        retry_after: Option<Duration>,
        now: Duration,
    ) {
        let mut pauses = self.lock();
        let left = number(headers, "x-esi-error-limit-remain");
        let reset = number(headers, "x-esi-error-limit-reset")
            .map_or(ERROR_WINDOW, Duration::from_secs)
            .min(ERROR_WINDOW);
        if status == 420 || left.is_some_and(|left| left <= ERROR_RESERVE) {
            let pause = retry_after.unwrap_or(reset);
            pauses.all = pauses.all.max(now + pause);
        }
        let named = text(headers, "x-ratelimit-group").unwrap_or(group);
        let pause = if status == 429 {
            Some(retry_after.unwrap_or(ERROR_WINDOW))
        } else {
            scarce(headers)
        };
        if let Some(pause) = pause
            && (pauses.groups.len() < MAX_GROUPS || pauses.groups.contains_key(named))
        {
            pauses.groups.insert(named.to_owned(), now + pause);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pauses> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pause when less than the reserve is left: tokens come back one window after their use, so after a
/// tenth of the window about a tenth of them is back.
fn scarce(headers: &HeaderMap) -> Option<Duration> {
    let remaining = number(headers, "x-ratelimit-remaining")?;
    let (tokens, window) = text(headers, "x-ratelimit-limit")?.split_once('/')?;
    let tokens: u64 = tokens.trim().parse().ok()?;
    let window = window_length(window.trim())?;
    (remaining.saturating_mul(RESERVE) < tokens).then(|| window / 10)
}

/// `15m`, `30s`, `1h`.
fn window_length(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let count: u64 = digits.parse().ok()?;
    let unit = match text.strip_prefix(digits)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(count.checked_mul(unit)?))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    }

    const NOW: Duration = Duration::from_secs(1000);

    #[rstest]
    #[case::plenty(200, &[("x-ratelimit-limit", "3600/15m"), ("x-ratelimit-remaining", "3000")], None, None, None)]
    #[case::scarce(200, &[("x-ratelimit-limit", "3600/15m"), ("x-ratelimit-remaining", "359")], None, Some(90), None)]
    #[case::limited(429, &[], Some(7), Some(7), None)]
    #[case::limited_without_a_word(429, &[], None, Some(60), None)]
    #[case::errors_used_up(420, &[("x-esi-error-limit-reset", "23")], None, Some(23), Some(23))]
    #[case::errors_nearly_used_up(404, &[("x-esi-error-limit-remain", "9"), ("x-esi-error-limit-reset", "41")], None, Some(41), Some(41))]
    #[case::odd_headers(200, &[("x-ratelimit-limit", "lots"), ("x-ratelimit-remaining", "-3")], None, None, None)]
    fn answers_teach_when_to_pause(
        #[case] status: u16,
        #[case] pairs: &[(&'static str, &str)],
        #[case] retry_after: Option<u64>,
        #[case] own: Option<u64>,
        #[case] others: Option<u64>,
    ) {
        let budget = EsiBudget::default();
        let retry_after = retry_after.map(Duration::from_secs);
        budget.observe("killmail", status, &headers(pairs), retry_after, NOW);
        assert_eq!(budget.wait("killmail", NOW), own.map(Duration::from_secs));
        assert_eq!(budget.wait("other", NOW), others.map(Duration::from_secs));
    }
}
