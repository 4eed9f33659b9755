//! `POST /api/subscriptions`: a new subscription.
//!
//! Body: `{"callback_url":"https://…","subscriber_id":"…","filter":{…},"format":"events"}`. Only the URL is
//! required: without a filter everything is sent. `format` is `events` (a page of the killfeed),
//! `killmail_update` (what WandererKills sends) or `discord`, which is what Discord's own addresses get when
//! nothing is said.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;

use super::shapes::{NewSubscription as NewSubscriptionShape, WebhookFormat};
use super::view::document;
use crate::api::docs::answers::{BadRequest, BodyTooLarge, Failures, TokenRefused};
use crate::api::docs::tags::SUBSCRIPTIONS;
use crate::api::extract::PeerAddress;
use crate::api::{ApiError, ApiState, api_tokens};
use crate::domain::{Filter, SigningSecret};
use crate::feed::webhooks::{Targets, is_discord};
use crate::store::feed;
use crate::store::subscriptions::{self, Format, NewSubscription};

/// Longest callback URL: longer ones don't pass every server.
pub(super) const LONGEST_URL: usize = 2_000;
/// Longest name of a subscriber, in characters.
const LONGEST_SUBSCRIBER: usize = 200;

/// What a new subscription is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriptionRequest)]
struct NewSubscriptionBody {
    /// Where messages go: http or https, a public host.
    #[schema(
        pattern = "^https?://",
        max_length = 2000,
        examples("https://kills.example.org/hook")
    )]
    callback_url: String,
    /// Who subscribes, up to 200 characters.
    #[serde(default)]
    #[schema(max_length = 200, pattern = "^[^\\u0000]*$")]
    subscriber_id: String,
    /// What is wanted; everything when absent.
    #[serde(default)]
    filter: Filter,
    /// The form of the bodies.
    #[schema(value_type = Option<WebhookFormat>)]
    format: Option<String>,
}

/// What a new subscription is to be.
#[derive(Debug)]
pub(in crate::api) struct Wanted {
    /// Who makes it.
    pub(in crate::api) subscriber_id: String,
    /// Where messages go.
    pub(in crate::api) callback_url: Url,
    /// What is wanted.
    pub(in crate::api) filter: Filter,
    /// The form of the bodies, unless the address is one of Discord's.
    pub(in crate::api) format: Format,
}

/// A subscription that was made.
#[derive(Debug)]
pub(in crate::api) struct Made {
    /// Its id.
    pub(in crate::api) id: String,
    /// Its secret.
    pub(in crate::api) secret: SigningSecret,
}

/// Makes a subscription of everything from now on.
///
/// # Errors
/// Too many subscriptions, or the database.
pub(in crate::api) async fn make(
    state: &ApiState,
    PeerAddress(peer): PeerAddress,
    wanted: &Wanted,
) -> Result<Made, ApiError> {
    let id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
    let secret = SigningSecret::new(rand::random());
    let head = feed::bounds(&state.store.pool).await?.head;
    let new = NewSubscription {
        subscription_id: &id,
        subscriber_id: &wanted.subscriber_id,
        callback_url: wanted.callback_url.as_str(),
        filter: &wanted.filter,
        format: wanted.format,
        secret: &secret,
        cursor: head,
        created_by: peer.map(|address| address.to_string()),
    };
    subscriptions::insert(&state.store.pool, &new).await?;
    Ok(Made { id, secret })
}

/// Makes a subscription.
///
/// # Errors
/// 400 for a body that can't be understood; 503 `too_many`; the database.
#[utoipa::path(
    post,
    path = "/api/subscriptions",
    operation_id = "create_subscription",
    tag = SUBSCRIPTIONS,
    summary = "A new webhook subscription",
    description = "Everything from now on is sent to `callback_url`, in order. The `secret` is shown this once: it \
        signs the messages and shows who owns the subscription. Discord's own addresses get messages of Discord when \
        `format` does not say.",
    request_body = NewSubscriptionBody,
    responses(
        (status = 201, description = "The subscription with its secret.", body = NewSubscriptionShape),
        BadRequest,
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
    body: Bytes,
) -> Result<Response, ApiError> {
    api_tokens::may_subscribe(&state, &headers).await?;
    let body: NewSubscriptionBody = read(&body)?;
    let callback_url = target(&state, &body.callback_url)?;
    let subscriber_id = body.subscriber_id;
    if subscriber_id.chars().count() > LONGEST_SUBSCRIBER || subscriber_id.contains('\0') {
        let allowed = format!("a text of at most {LONGEST_SUBSCRIBER} characters");
        return Err(ApiError::bad_parameter(
            "subscriber_id",
            &subscriber_id,
            allowed,
        ));
    }
    body.filter.validate()?;
    let format = match &body.format {
        Some(word) => format(word)?,
        None if is_discord(&callback_url) => Format::Discord,
        None => Format::Events,
    };
    let _permit = state.admission.request()?;
    let wanted = Wanted {
        subscriber_id,
        callback_url,
        filter: body.filter,
        format,
    };
    let made = make(&state, peer, &wanted).await?;
    let subscription = super::owner::find(&state, &made.id).await?;
    let mut document = document(&subscription, true);
    if let Some(members) = document.as_object_mut() {
        members.insert("secret".to_owned(), made.secret.reveal().into());
    }
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(document)).into_response())
}

/// Reads a JSON body.
pub(super) fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        ApiError::bad_parameter(
            "body",
            &text,
            format!("a JSON object as documented ({error})"),
        )
    })
}

/// Reads a callback URL.
pub(super) fn target(state: &ApiState, text: &str) -> Result<Url, ApiError> {
    // What came after the host may be a key, which an error need not repeat.
    let shown = super::host_only(text);
    if text.len() > LONGEST_URL {
        let allowed = format!("a URL of at most {LONGEST_URL} bytes");
        return Err(ApiError::bad_parameter("callback_url", &shown, allowed));
    }
    Targets::new(&state.config.webhook_allow)
        .read(text)
        .map_err(|_| {
            ApiError::bad_parameter(
                "callback_url",
                &shown,
                "an http or https URL of a public host",
            )
        })
}

/// Reads a format.
pub(super) fn format(word: &str) -> Result<Format, ApiError> {
    Format::from_word(word).ok_or_else(|| {
        ApiError::bad_parameter("format", word, "events, killmail_update or discord")
    })
}
