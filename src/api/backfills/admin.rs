//! Who may ask for backfills: whoever shows the service's token.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::api::{ApiError, ApiState};

/// Lets the operator in.
///
/// # Errors
/// 403 `admin_off` where the service has no token, 401 `not_admin` where another one or none is shown.
pub(super) fn admit(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    let token = state
        .config
        .admin_token
        .as_ref()
        .map(|it| it.expose_secret().trim());
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(ApiError::AdminOff);
    };
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if shown.is_some_and(|shown| same(token, shown.trim())) {
        Ok(())
    } else {
        Err(ApiError::NotAdmin)
    }
}

/// Takes the same time wherever the two differ: digests under a key of our own are compared, in constant time.
fn same(token: &str, shown: &str) -> bool {
    let digest = mac(token, shown).finalize().into_bytes();
    mac(token, token).verify_slice(&digest).is_ok()
}

fn mac(key: &str, text: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_the_same() {
        assert!(same("a secret", "a secret"));
        for other in [
            "",
            "a secre",
            "a secret ",
            "A secret",
            "another one altogether",
        ] {
            assert!(!same("a secret", other), "{other:?}");
        }
    }
}
