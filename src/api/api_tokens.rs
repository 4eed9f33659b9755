//! What takes a token that the operator handed out, where `WK_API_TOKENS` asks for them.

use axum::http::HeaderMap;

use super::error::ApiError;
use super::operator;
use super::state::ApiState;
use crate::runtime::config::ApiTokens;
use crate::store::api_tokens::{self, Scope};

/// Refuses whoever shows no token for webhook subscriptions, where they take one.
///
/// # Errors
/// [`ApiError::TokenRequired`], [`ApiError::TokenLacksScope`]; the database.
pub(super) async fn may_subscribe(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    match state.config.access.api_tokens {
        ApiTokens::Off => Ok(()),
        ApiTokens::Required => {
            required(
                state,
                headers,
                Scope::Subscriptions,
                "a webhook subscription",
            )
            .await
        }
    }
}

/// Refuses whoever may not take everything at once: all but the operator, where no tokens are handed out.
///
/// # Errors
/// As [`may_subscribe`]; without tokens, those of [`operator::required`].
pub(super) async fn may_export(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    let what = "limit=all";
    match state.config.access.api_tokens {
        ApiTokens::Off => operator::required(&state.config, headers, what),
        ApiTokens::Required => required(state, headers, Scope::Export, what).await,
    }
}

/// The operator's token is good for everything.
async fn required(
    state: &ApiState,
    headers: &HeaderMap,
    scope: Scope,
    what: &'static str,
) -> Result<(), ApiError> {
    if operator::required(&state.config, headers, what).is_ok() {
        return Ok(());
    }
    let Some(token) = operator::shown(headers) else {
        return Err(ApiError::TokenRequired { what });
    };
    let mut conn = state.store.pool.acquire().await.map_err(|source| {
        ApiError::Store(crate::store::Error::Query {
            operation: "looking an API token up",
            source,
        })
    })?;
    let scopes = api_tokens::scopes(&mut conn, token, state.clock.now()).await?;
    let scopes = scopes.ok_or(ApiError::TokenRequired { what })?;
    if scopes.iter().any(|word| word == scope.as_str()) {
        Ok(())
    } else {
        Err(ApiError::TokenLacksScope {
            what,
            scope: scope.as_str(),
        })
    }
}
