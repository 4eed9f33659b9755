use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use super::AccessConfig;

/// Inbound HTTP.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "HTTP")]
pub struct ApiConfig {
    /// Address and port to listen on.
    #[arg(long, env = "WK_LISTEN", default_value = "127.0.0.1:4004")]
    pub listen: SocketAddr,
    /// Seconds that a plain request may take; a long poll's wait comes on top.
    #[arg(long, env = "WK_REQUEST_TIMEOUT_S", default_value_t = 30)]
    pub request_timeout_s: u64,
    /// Most plain requests answered at the same time; more are told to come back.
    #[arg(long, env = "WK_MAX_REQUESTS", default_value = "256")]
    pub max_requests: NonZeroUsize,
    /// Most websockets, event streams and long polls open at the same time.
    #[arg(long, env = "WK_MAX_STREAMS", default_value = "10000")]
    pub max_streams: NonZeroUsize,
    /// Most of those from one address (IPv6: one /64).
    #[arg(long, env = "WK_MAX_STREAMS_PER_ADDRESS", default_value = "256")]
    pub max_streams_per_address: NonZeroUsize,
    /// Seconds that a websocket or stream may take to accept a message before it is closed.
    #[arg(long, env = "WK_SEND_TIMEOUT_S", default_value_t = 30)]
    pub send_timeout_s: u64,
    /// Networks that webhooks may point to although they are not public, comma separated, such as 10.1.2.0/24.
    #[arg(long, env = "WK_WEBHOOK_ALLOW", value_delimiter = ',')]
    pub webhook_allow: Vec<IpNet>,
    /// What an operator shows as `Authorization: Bearer` for backfills over HTTP and queries without a limit;
    /// without it there are none.
    #[arg(long, env = "WK_ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<SecretString>,
    /// Who may come in.
    #[command(flatten)]
    pub access: AccessConfig,
}

impl ApiConfig {
    /// How long a request may take.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }

    /// How long a websocket or stream may take to accept a message.
    pub fn send_timeout(&self) -> Duration {
        Duration::from_secs(self.send_timeout_s)
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4004)),
            request_timeout_s: 30,
            max_requests: super::non_zero(256),
            max_streams: super::non_zero(10_000),
            max_streams_per_address: super::non_zero(256),
            send_timeout_s: 30,
            webhook_allow: Vec::new(),
            admin_token: None,
            access: AccessConfig::default(),
        }
    }
}
