//! The shapes of the socket's description and state, as schemas.

#![expect(dead_code, reason = "shapes of the document alone")]

use chrono::{DateTime, Utc};
use utoipa::ToSchema;

/// Where the socket is, and what it takes.
#[derive(ToSchema)]
pub(super) struct SocketDescription {
    /// Its address, without `/websocket` at the end.
    #[schema(examples("ws://localhost:4004/socket"))]
    websocket_url: String,
    /// Always `Phoenix Channels`.
    protocol: String,
    /// The newest serializer.
    version: String,
    /// Its topics.
    channels: SocketChannels,
    /// Who may connect.
    authentication: SocketAuthentication,
    /// What it takes.
    limits: SocketLimits,
    /// Where to read on.
    documentation: SocketDocumentation,
}

/// The topics.
#[derive(ToSchema)]
pub(super) struct SocketChannels {
    /// Killmails.
    killmails: String,
}

/// Who may connect: anybody.
#[derive(ToSchema)]
pub(super) struct SocketAuthentication {
    /// Always false.
    required: bool,
    /// Always `none`.
    #[serde(rename = "type")]
    kind: String,
    /// For people.
    description: String,
}

/// What the socket takes.
#[derive(ToSchema)]
pub(super) struct SocketLimits {
    /// Most systems of one subscription.
    max_systems_per_subscription: u64,
    /// A socket without any frame from the client for so long is closed.
    timeout_seconds: u64,
    /// How messages are counted.
    rate_limit: String,
}

/// Where to read on.
#[derive(ToSchema)]
pub(super) struct SocketDocumentation {
    /// The project.
    url: String,
    /// An example there.
    examples: String,
}

/// How the socket does.
#[derive(ToSchema)]
pub(super) struct SocketStatus {
    /// In one word.
    status: SocketState,
    /// Sockets that are open.
    active_connections: u64,
    /// Channels with a subscription.
    active_subscriptions: u64,
    /// Seconds since the start.
    uptime_seconds: u64,
    /// When this was answered.
    timestamp: DateTime<Utc>,
}

/// The socket's state.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SocketState {
    /// There is room.
    Operational,
    /// Nearly every place is taken.
    Degraded,
}
