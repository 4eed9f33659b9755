//! Requests without the usual limits are for whoever shows `WK_ADMIN_TOKEN`.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::error::ApiError;
use crate::runtime::config::ApiConfig;

/// Refuses whoever does not show the token; everyone, where there is none.
///
/// # Errors
/// [`ApiError::NotAdmin`] naming `what` was asked for.
pub(super) fn required(
    config: &ApiConfig,
    headers: &HeaderMap,
    what: &'static str,
) -> Result<(), ApiError> {
    let token = config.admin_token.as_ref().map(ExposeSecret::expose_secret);
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match (token, shown) {
        (Some(token), Some(shown)) if !token.is_empty() && is_same(token, shown.trim()) => Ok(()),
        _ => Err(ApiError::NotAdmin { what }),
    }
}

/// Takes the same time wherever the two differ: what is compared are digests under a key.
fn is_same(token: &str, shown: &str) -> bool {
    let digest = |text: &str| {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("any length");
        mac.update(text.as_bytes());
        mac
    };
    let expected = digest(token).finalize().into_bytes();
    digest(shown).verify_slice(&expected).is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn is_operator(token: Option<&str>, shown: Option<&str>) -> bool {
        let config = ApiConfig {
            admin_token: token.map(Into::into),
            ..ApiConfig::default()
        };
        let mut headers = HeaderMap::new();
        if let Some(shown) = shown {
            headers.insert(header::AUTHORIZATION, shown.parse().unwrap());
        }
        required(&config, &headers, "limit=all").is_ok()
    }

    #[rstest]
    #[case(Some("secret"), Some("Bearer secret"), true)]
    #[case(Some("secret"), Some("Bearer secre"), false)]
    #[case(Some("secret"), Some("Bearer secret2"), false)]
    #[case(Some("secret"), Some("secret"), false)]
    #[case(Some("secret"), None, false)]
    #[case(Some(""), Some("Bearer "), false)]
    #[case(None, Some("Bearer secret"), false)]
    #[case(None, None, false)]
    fn only_the_token_opens(
        #[case] token: Option<&str>,
        #[case] shown: Option<&str>,
        #[case] opens: bool,
    ) {
        assert_eq!(is_operator(token, shown), opens);
    }
}
