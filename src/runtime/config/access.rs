use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use super::Networks;

/// Who may make webhook subscriptions, and take everything at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ApiTokens {
    /// Anybody makes subscriptions; only the operator takes everything.
    #[default]
    Off,
    /// Both take a token that `token create` made, with the scope for it.
    Required,
}

/// The header in which trusted proxies name the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded`, after RFC 7239.
    Forwarded,
}

/// Who may come in, and how often.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Access")]
pub struct AccessConfig {
    /// Whether webhook subscriptions and queries without a limit take a token of `token create`.
    #[arg(long, env = "WK_API_TOKENS", default_value = "off")]
    pub api_tokens: ApiTokens,
    /// Requests that one address (IPv6: one /64) may make in a minute, on average.
    #[arg(long, env = "WK_REQUESTS_PER_MINUTE", default_value = "1200")]
    pub requests_per_minute: NonZeroU32,
    /// Requests that one address may make at once, before the average holds.
    #[arg(long, env = "WK_REQUEST_BURST", default_value = "300")]
    pub request_burst: NonZeroU32,
    /// Connections that one address may have open.
    #[arg(long, env = "WK_MAX_CONNECTIONS_PER_ADDRESS", default_value = "512")]
    pub max_connections_per_address: NonZeroUsize,
    /// Networks whose addresses are not limited, comma separated, or none.
    #[arg(long, env = "WK_UNLIMITED_NETWORKS", default_value_t = Networks::loopback())]
    pub unlimited_networks: Networks,
    /// Networks of reverse proxies, comma separated, or none: of their requests the client's address is believed.
    #[arg(long, env = "WK_TRUSTED_PROXIES", default_value_t = Networks::default())]
    pub trusted_proxies: Networks,
    /// The header in which they name the client; they must overwrite or extend what clients send in it.
    #[arg(long, env = "WK_PROXY_HEADER", default_value = "x-forwarded-for")]
    pub proxy_header: ProxyHeader,
    /// Seconds that a request's head may take to arrive, and a connection may idle between requests.
    #[arg(long, env = "WK_HEAD_TIMEOUT_S", default_value_t = 30)]
    pub head_timeout_s: u64,
    /// File with the certificate chain (PEM); with it the service speaks HTTPS. Read again when it changes.
    #[arg(long, env = "WK_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// File with the certificate's private key (PEM).
    #[arg(long, env = "WK_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

impl AccessConfig {
    /// How long a request's head may take to arrive.
    pub fn head_timeout(&self) -> Duration {
        Duration::from_secs(self.head_timeout_s)
    }
}

impl Default for AccessConfig {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            api_tokens: ApiTokens::Off,
            requests_per_minute: number(1200),
            request_burst: number(300),
            max_connections_per_address: super::non_zero(512),
            unlimited_networks: Networks::loopback(),
            trusted_proxies: Networks::default(),
            proxy_header: ProxyHeader::XForwardedFor,
            head_timeout_s: 30,
            tls_cert: None,
            tls_key: None,
        }
    }
}
