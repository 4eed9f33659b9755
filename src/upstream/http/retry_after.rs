use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest `Retry-After` that is believed; a server that asks for more is asked again after this.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The pause a server asks for, given as seconds or as an HTTP date. A date that has passed gives zero, and
/// text that is neither gives `None`.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = DateTime::parse_from_rfc2822(text).ok()?;
        (until.with_timezone(&Utc) - now)
            .to_std()
            .unwrap_or_default()
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("120", Some(120))]
    #[case(" 3 ", Some(3))]
    #[case("Mon, 23 Nov 2026 21:00:30 GMT", Some(30))]
    #[case("Mon, 23 Nov 2026 20:00:00 GMT", Some(0))]
    #[case("99999999", Some(3600))]
    #[case("soon", None)]
    #[case("-1", None)]
    fn seconds_and_dates_are_read(#[case] text: &str, #[case] expected: Option<u64>) {
        let now = "2026-11-23T21:00:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        assert_eq!(
            retry_after(&headers, now),
            expected.map(Duration::from_secs)
        );
    }

    #[test]
    fn no_header_no_pause() {
        let now = "2026-11-23T21:00:00Z".parse().unwrap();
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
