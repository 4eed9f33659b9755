//! `POST /api/v1/subscriptions`: checks and messages in their old order.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::extract::PeerAddress;
use crate::api::subscriptions::{Wanted, make};
use crate::api::v1::shapes::{
    BadSubscription, BodyTooLarge, Failures, Subscribe, Subscribed, TokenRefused,
};
use crate::api::v1::{Posted, V1Error};
use crate::api::{ApiError, ApiState, api_tokens};
use crate::domain::{Filter, MatchMode};
use crate::feed::webhooks::{TargetError, Targets, is_discord};
use crate::store::subscriptions::Format;

const MOST_SYSTEMS: usize = 100;
const MOST_CHARACTERS: usize = 1_000;
/// Ours: the old interface had no bound but the body's.
const LONGEST_SUBSCRIBER: usize = 200;

/// Makes a subscription: 201 `{"data":{"subscription_id","message","secret"},"subscription_id"}`. The id is
/// there twice, as one of the known clients looks for it at the top.
///
/// # Errors
/// 400 with the old messages; the database.
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions",
    operation_id = "subscribe",
    tag = WANDERER_KILLS,
    summary = "A new webhook subscription",
    description = "Everything from now on is sent to `callback_url` in the form that WandererKills has. Fields may also stand in the query or in a form.",
    request_body = Subscribe,
    responses(
        (status = 201, description = "The subscription's id and secret.", body = Subscribed),
        (status = 400, description = "What is wrong, or a body that is no JSON.", body = BadSubscription),
        TokenRefused,
        BodyTooLarge,
        Failures,
    ),
    security((), ("api_token" = [])),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    peer: PeerAddress,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, ApiError> {
    api_tokens::may_subscribe(&state, &headers).await?;
    let targets = Targets::new(&state.config.webhook_allow);
    let member = |name: &str| posted.fields.get(name);
    let wanted = wanted(&member, &targets).map_err(V1Error::subscription)?;
    let made = make(&state, peer, &wanted).await?;
    let body = json!({
        "data": {
            "subscription_id": made.id,
            "message": "Subscription created successfully",
            "secret": made.secret.reveal(),
        },
        "subscription_id": made.id,
    });
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

/// Looks a member of the request up.
type Member<'b> = dyn Fn(&str) -> Option<&'b Value> + 'b;

fn wanted(member: &Member<'_>, targets: &Targets) -> Result<Wanted, String> {
    let subscriber_id = match member("subscriber_id").unwrap_or(&Value::Null) {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    };
    if subscriber_id.is_empty() {
        return Err("subscriber_id is required".to_owned());
    }
    let callback_url = match member("callback_url").unwrap_or(&Value::Null) {
        Value::Null => return Err("callback_url is required".to_owned()),
        Value::String(text) if text.is_empty() => {
            return Err("callback_url is required".to_owned());
        }
        Value::String(text) => targets.read(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(TargetError::Url)
        }
    };
    let callback_url = callback_url.map_err(|error| format!("callback_url {error}"))?;
    let systems = ids(member, "system_ids")?;
    let characters = ids(member, "character_ids")?;
    if systems.is_empty() && characters.is_empty() {
        return Err("At least one system_id or character_id is required".to_owned());
    }
    if systems.len() > MOST_SYSTEMS {
        return Err(format!(
            "Maximum {MOST_SYSTEMS} system_ids allowed per subscription"
        ));
    }
    if characters.len() > MOST_CHARACTERS {
        return Err(format!(
            "Maximum {MOST_CHARACTERS} character_ids allowed per subscription"
        ));
    }
    if subscriber_id.chars().count() > LONGEST_SUBSCRIBER || subscriber_id.contains('\0') {
        return Err(format!(
            "subscriber_id must be at most {LONGEST_SUBSCRIBER} characters"
        ));
    }
    let format = if is_discord(&callback_url) {
        Format::Discord
    } else {
        Format::KillmailUpdate
    };
    Ok(Wanted {
        subscriber_id,
        callback_url,
        filter: Filter {
            systems,
            characters,
            match_mode: MatchMode::Any,
            ..Filter::default()
        },
        format,
    })
}

/// A list of ids: what is no list counts as empty, what is no whole number in it is passed over.
fn ids(member: &Member<'_>, field: &str) -> Result<BTreeSet<i64>, String> {
    let list = member(field).and_then(Value::as_array).map(Vec::as_slice);
    let numbers = list.unwrap_or_default().iter().filter_map(Value::as_i64);
    let ids: BTreeSet<i64> = numbers.collect();
    if ids.first().is_some_and(|id| *id <= 0) {
        return Err(format!("{field} must be an array of positive integers"));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const URL: &str = "https://example.com/hook";

    #[rstest]
    #[case(json!({}), "subscriber_id is required")]
    #[case(json!([1]), "subscriber_id is required")]
    #[case(json!({ "subscriber_id": "" }), "subscriber_id is required")]
    #[case(json!({ "subscriber_id": "m" }), "callback_url is required")]
    #[case(json!({ "subscriber_id": "m", "callback_url": null }), "callback_url is required")]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": "ftp://x/" }),
        "callback_url must be a valid HTTP/HTTPS URL"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": 7 }),
        "callback_url must be a valid HTTP/HTTPS URL"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": "http://169.254.169.254/" }),
        "callback_url must not point to a private or local address"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": URL, "system_ids": [0] }),
        "system_ids must be an array of positive integers"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": URL, "character_ids": [-1] }),
        "character_ids must be an array of positive integers"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": URL, "system_ids": "x" }),
        "At least one system_id or character_id is required"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": URL, "system_ids": ["30000142"] }),
        "At least one system_id or character_id is required"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": URL, "system_ids": (1..102).collect::<Vec<_>>() }),
        "Maximum 100 system_ids allowed per subscription"
    )]
    #[case(
        json!({ "subscriber_id": "m", "callback_url": URL, "character_ids": (1..1002).collect::<Vec<_>>() }),
        "Maximum 1000 character_ids allowed per subscription"
    )]
    fn the_first_thing_wrong_is_told(#[case] body: Value, #[case] message: &str) {
        assert_eq!(
            wanted(&|name| body.get(name), &Targets::default()).unwrap_err(),
            message
        );
    }

    #[test]
    fn lists_are_distinct_and_either_is_enough() {
        let body = json!({
            "subscriber_id": 7, "callback_url": URL, "system_ids": [3, 1, 3, "x"], "character_ids": [9],
        });
        let wanted = wanted(&|name| body.get(name), &Targets::default()).unwrap();
        assert_eq!(wanted.subscriber_id, "7");
        assert_eq!(wanted.filter.systems, [1, 3].into());
        assert_eq!(wanted.filter.match_mode, MatchMode::Any);
        assert_eq!(wanted.format, Format::KillmailUpdate);
    }
}
