//! What PostgreSQL's text can't hold.

use std::borrow::Cow;

/// Stands where an upstream's text had a NUL, which PostgreSQL refuses.
const REPLACEMENT: &str = "\u{fffd}";

/// The text without NUL characters.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', REPLACEMENT))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text without NUL characters, cut to `limit` characters.
pub(super) fn storable_prefix(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .map(|character| match character {
            '\0' => '\u{fffd}',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_replaced() {
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
        assert!(matches!(storable("plain"), Cow::Borrowed("plain")));
        assert_eq!(storable_prefix("a\0bc", 3), "a\u{fffd}b");
    }
}
