//! Backfills, and requests without the usual limits, are for whoever shows `WK_ADMIN_TOKEN`.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::error::ApiError;
use crate::runtime::config::ApiConfig;

/// Refuses whoever does not show the token; everyone, where there is none.
///
/// # Errors
/// [`ApiError::AdminOff`] where the service has no token, [`ApiError::NotAdmin`] where another one or none is
/// shown; both name `what` was asked for.
pub(super) fn required(
    config: &ApiConfig,
    headers: &HeaderMap,
    what: &'static str,
) -> Result<(), ApiError> {
    let token = config
        .admin_token
        .as_ref()
        .map(|token| token.expose_secret().trim())
        .filter(|token| !token.is_empty())
        .ok_or(ApiError::AdminOff { what })?;
    if shown(headers).is_some_and(|shown| is_same(token, shown)) {
        Ok(())
    } else {
        Err(ApiError::NotAdmin { what })
    }
}

/// The token that a request shows.
pub(super) fn shown(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(value.strip_prefix("Bearer ")?.trim())
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

    fn code(token: Option<&str>, shown: Option<&str>) -> Option<&'static str> {
        let config = ApiConfig {
            admin_token: token.map(Into::into),
            ..ApiConfig::default()
        };
        let mut headers = HeaderMap::new();
        if let Some(shown) = shown {
            headers.insert(header::AUTHORIZATION, shown.parse().unwrap());
        }
        required(&config, &headers, "limit=all")
            .err()
            .map(|error| error.code())
    }

    #[rstest]
    #[case(Some("secret"), Some("Bearer secret"), None)]
    #[case(Some("secret"), Some("Bearer secre"), Some("not_admin"))]
    #[case(Some("secret"), Some("Bearer secret2"), Some("not_admin"))]
    #[case(Some("secret"), Some("Bearer Secret"), Some("not_admin"))]
    #[case(Some("secret"), Some("secret"), Some("not_admin"))]
    #[case(Some("secret"), None, Some("not_admin"))]
    #[case(Some(""), Some("Bearer "), Some("admin_off"))]
    #[case(None, Some("Bearer secret"), Some("admin_off"))]
    #[case(None, None, Some("admin_off"))]
    fn only_the_token_opens(
        #[case] token: Option<&str>,
        #[case] shown: Option<&str>,
        #[case] refusal: Option<&str>,
    ) {
        assert_eq!(code(token, shown), refusal);
    }
}
