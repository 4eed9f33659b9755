//! What the headers of one answer say about budgets.

use std::time::Duration;

use crate::upstream::http::HeaderMap;

/// A group's tokens, as one answer tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tokens {
    /// All that there are in a window.
    pub(super) limit: u64,
    /// The floating window: so long after their use they come back.
    pub(super) window: Duration,
    /// Those that are left.
    pub(super) left: u64,
}

/// The legacy error limit, as one answer tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Errors {
    /// Errors that are left in the fixed window.
    pub(super) left: u64,
    /// How long until the window ends, where the answer says.
    pub(super) reset: Option<Duration>,
}

/// The name of the rate-limit group that the route belongs to.
pub(super) fn group(headers: &HeaderMap) -> Option<&str> {
    text(headers, "x-ratelimit-group").filter(|name| !name.is_empty())
}

/// The group's tokens. What is left is told, or follows from what is used.
pub(super) fn tokens(headers: &HeaderMap) -> Option<Tokens> {
    let (limit, window) = text(headers, "x-ratelimit-limit")?.split_once('/')?;
    let limit: u64 = limit.trim().parse().ok()?;
    let used = || number(headers, "x-ratelimit-used").map(|used| limit.saturating_sub(used));
    Some(Tokens {
        limit,
        window: window_length(window.trim())?,
        left: number(headers, "x-ratelimit-remaining").or_else(used)?,
    })
}

/// The legacy error limit.
pub(super) fn errors(headers: &HeaderMap) -> Option<Errors> {
    Some(Errors {
        left: number(headers, "x-esi-error-limit-remain")?,
        reset: reset(headers),
    })
}

/// How long until the window of the legacy error limit ends.
pub(super) fn reset(headers: &HeaderMap) -> Option<Duration> {
    number(headers, "x-esi-error-limit-reset").map(Duration::from_secs)
}

/// `15m`, `30s`, `1h`; nothing else, and nothing of no length.
fn window_length(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let count: u64 = digits.parse().ok().filter(|count| *count > 0)?;
    let unit = match text.strip_prefix(digits)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(count.checked_mul(unit)?))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[rstest]
    #[case::told("3600/15m", Some("3000"), None, Some((3600, 900, 3000)))]
    #[case::from_what_is_used("600/30s", None, Some("20"), Some((600, 30, 580)))]
    #[case::hours("30/1h", Some("1"), Some("5"), Some((30, 3600, 1)))]
    #[case::used_beyond_the_limit("30/1h", None, Some("31"), Some((30, 3600, 0)))]
    #[case::words("lots", Some("3"), None, None)]
    #[case::negative("3600/15m", Some("-3"), None, None)]
    #[case::days("3600/1d", Some("3"), None, None)]
    #[case::no_window("3600/0m", Some("3"), None, None)]
    #[case::endless("3600/99999999999999999999h", Some("3"), None, None)]
    fn tokens_are_read(
        #[case] limit: &str,
        #[case] remaining: Option<&str>,
        #[case] used: Option<&str>,
        #[case] expected: Option<(u64, u64, u64)>,
    ) {
        let mut pairs = vec![("x-ratelimit-limit", limit)];
        pairs.extend(remaining.map(|value| ("x-ratelimit-remaining", value)));
        pairs.extend(used.map(|value| ("x-ratelimit-used", value)));
        let expected = expected.map(|(limit, seconds, left)| Tokens {
            limit,
            window: Duration::from_secs(seconds),
            left,
        });
        assert_eq!(tokens(&headers(&pairs)), expected);
    }
}
