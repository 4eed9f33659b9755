//! The upgrade: which serializer, and who it is.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::frame::Version;
use super::session;
use crate::api::client_socket::limited;
use crate::api::docs::answers::Failures;
use crate::api::docs::tags::WANDERER_KILLS;
use crate::api::events::Staying;
use crate::api::extract::{Params, PeerAddress};
use crate::api::{ApiError, ApiState};

/// Longest part of a user's id that the client chooses, characters.
const MAX_CLIENT_CHARACTERS: usize = 32;

/// Opens a connection. Unknown parameters are ignored; a version that nobody speaks is answered with 403.
///
/// # Errors
/// Too many streams.
#[utoipa::path(
    get,
    path = "/socket/websocket",
    operation_id = "open_phoenix_socket",
    tag = WANDERER_KILLS,
    summary = "Phoenix channels, as WandererKills' clients speak them",
    description = "One topic, `killmails:lobby`. A client joins with `{\"systems\":[…],\"character_ids\":[…],\
        \"preload\":{…}}`, changes with `subscribe_systems`, `unsubscribe_systems`, `subscribe_characters` and \
        `unsubscribe_characters`, and gets `killmail_update` (`{\"system_id\",\"killmails\",\"timestamp\",\"preload\"}`), \
        `kill_count_update` and `preload_complete`. Frames are objects with `vsn=1.0.0` and lists with `vsn=2.0.0`. \
        Unknown parameters are ignored. `docs/compatibility.md` has the rest.",
    params(
        ("vsn" = Option<String>, Query, nullable = false, pattern = r"^[12]\.0\.0$", description = "The serializer: `1.0.0` (the default) or `2.0.0`."),
    ),
    responses(
        (status = 101, description = "The socket is open."),
        (status = 400, description = "The request is no websocket handshake.", body = String, content_type = "text/plain"),
        (status = 403, description = "A version that nobody speaks."),
        Failures,
    ),
    extensions(("x-stays-open" = json!(true))),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    PeerAddress(address): PeerAddress,
    method: Method,
    mut params: Params,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    if method != Method::GET {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    }
    let requested = last(&mut params, "vsn");
    let Some(version) = Version::negotiate(requested.as_deref()) else {
        return Ok(StatusCode::FORBIDDEN.into_response());
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            return Ok((StatusCode::BAD_REQUEST, rejection.body_text()).into_response());
        }
    };
    let permit = state.admission.stream(address)?;
    let client = ["client_id", "client_identifier", "identifier"]
        .into_iter()
        .find_map(|name| last(&mut params, name))
        .map(|name| tidy(&name));
    let token = state.sessions.token();
    Ok(limited(upgrade).on_upgrade(move |socket| async move {
        let counted = (Staying::phoenix(), state.phoenix.connected());
        session::run(socket, version, client, state).await;
        drop((permit, token, counted));
    }))
}

/// The last value of a parameter, as Plug reads repeated ones.
fn last(params: &mut Params, name: &str) -> Option<String> {
    params.take_all(&[name]).pop()
}

/// A client's name for itself, cut and in plain characters.
fn tidy(name: &str) -> String {
    let plain = |character: char| match character {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => character,
        _ => '_',
    };
    name.trim()
        .chars()
        .take(MAX_CLIENT_CHARACTERS)
        .map(plain)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_and_plain() {
        assert_eq!(tidy("  my app/1 "), "my_app_1");
        assert_eq!(tidy(&"é".repeat(100)), "_".repeat(32));
    }
}
