//! The shapes of the feed's answers, as schemas.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use crate::api::docs::answers::of;
use crate::domain::Filter;
use crate::domain::wire::shape::Killmail;

/// What a poll takes besides the filter.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct PollParameters {
    /// Cursor: the `cursor` of the last page. Absent or 0: from the oldest event that is kept.
    #[param(required = false, minimum = 0, default = 0)]
    after: i64,
    /// Most events.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
    /// Seconds to wait for the first event.
    #[param(required = false, minimum = 0, maximum = 60, default = 0)]
    wait: i64,
    /// A name that the client chooses for itself: the server then keeps the cursor.
    #[param(
        required = false,
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9_-]+$"
    )]
    client_id: String,
}

/// What a client whose offset the server keeps has to say.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct ClientParameters {
    /// The name that the client has chosen for itself.
    #[param(
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "my-tool"
    )]
    client_id: String,
    /// The systems it wants; an empty list has no events.
    #[param(style = Form, explode = false, max_items = 10_000)]
    systems: Vec<crate::domain::filter::EntityId>,
    /// Checked as for a poll; one event comes all the same.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
}

/// What happened to a killmail.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "words of the document alone")]
pub(in crate::api) enum EventKind {
    /// It is stored for the first time.
    New,
    /// Its values or labels have changed.
    Updated,
}

/// One event of the feed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(in crate::api) struct KillfeedEvent {
    /// Its number in the log: the cursor of who has seen it.
    #[schema(minimum = 1)]
    event_id: i64,
    /// What happened.
    kind: EventKind,
    /// The solar system.
    system_id: i64,
    /// The killmail as it is now.
    killmail: Killmail,
}

/// What `data:` of a server-sent event holds.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "a shape of the document alone"
)]
pub(super) enum KillfeedData {
    /// Unnamed events: one event of the feed.
    Event(KillfeedEvent),
    /// `event: cursor`: where the stream stands.
    Cursor(KillfeedCursor),
    /// `event: error`: why the stream ends.
    Error(crate::api::docs::answers::ProblemDocument),
}

/// Where a stream stands.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(super) struct KillfeedCursor {
    /// Come back with this.
    #[schema(minimum = 0)]
    cursor: i64,
}

/// One event for a client whose offset the server keeps.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(super) struct ClientEvent {
    /// Its number in the log.
    #[schema(minimum = 1)]
    event_id: i64,
    /// What happened; absent with `client_id`.
    #[schema(required = false)]
    kind: EventKind,
    /// The solar system.
    system_id: i64,
    /// The killmail as it is now.
    killmail: Killmail,
}

/// A page of the feed, ascending.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(super) struct KillfeedPage {
    /// The events. With `client_id` they have no `kind`.
    events: Vec<ClientEvent>,
    /// Where to go on; absent with `client_id`.
    #[schema(required = false, minimum = 0)]
    cursor: i64,
    /// Whether there are more already; absent with `client_id`.
    #[schema(required = false)]
    has_more: bool,
}

/// Why a client whose offset the server keeps is refused.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape of the document alone")]
pub(in crate::api) struct ClientRefused {
    /// What is wrong.
    #[schema(examples("Missing required parameter: systems"))]
    error: String,
}

/// What a client whose offset the server keeps may get instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "stands for answers, in the document alone")]
pub(super) enum ClientFailures {
    /// A parameter that is missing or can't be understood.
    #[response(status = 400)]
    BadRequest(ClientRefused),
    /// An error of ours.
    #[response(status = 500)]
    Internal(ClientRefused),
    /// Too many requests at work, or the database can't be used now.
    #[response(
        status = 503,
        headers(("Retry-After" = u16, description = "Seconds after which another try makes sense."))
    )]
    Unavailable(ClientRefused),
}

/// What the websocket's server sends.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "a shape of the document alone"
)]
pub(in crate::api) enum KillfeedServerMessage {
    /// The first message: where this session starts, and the newest event.
    Hello {
        /// Where it starts.
        cursor: i64,
        /// The newest event.
        head: i64,
    },
    /// An event.
    Killmail {
        /// Come back with `after` of this.
        cursor: i64,
        /// The event.
        event: KillfeedEvent,
    },
    /// The filter has matched nothing for a while.
    Cursor {
        /// Come back with `after` of this.
        cursor: i64,
    },
    /// The new filter holds for every event after `cursor`.
    Filter {
        /// Where the session stands.
        cursor: i64,
    },
    /// Answer to `ping`.
    Pong {
        /// Where the session stands.
        cursor: i64,
    },
    /// A message that was not understood, or what ends the session.
    Error {
        /// The stable code.
        code: String,
        /// For people.
        detail: String,
    },
}

/// What a websocket's client may send.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "a shape of the document alone"
)]
pub(in crate::api) enum KillfeedClientMessage {
    /// Replaces the filter.
    Filter {
        /// The new one.
        filter: Filter,
    },
    /// Asks for a sign of life.
    Ping {},
}

/// Schemas that operations do not bring along by themselves.
pub(in crate::api) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    vec![
        of::<ClientRefused>(),
        of::<KillfeedServerMessage>(),
        of::<KillfeedClientMessage>(),
        of::<KillfeedEvent>(),
        of::<EventKind>(),
        of::<Filter>(),
        of::<crate::domain::MatchMode>(),
        of::<crate::domain::Role>(),
        of::<crate::domain::SecurityBand>(),
        of::<crate::domain::filter::EntityId>(),
        of::<crate::domain::filter::KillmailLabel>(),
    ]
}
