use std::time::Duration;

use url::Url;

/// Servers we ask for history, bodies and reference data.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Upstreams")]
pub struct UpstreamConfig {
    /// Who runs this installation (e-mail address or URL); goes into the User-Agent.
    #[arg(long, env = "WK_CONTACT")]
    pub contact: Option<String>,
    /// zKillboard's base URL.
    #[arg(long, env = "WK_ZKB_URL", default_value = "https://zkillboard.com/")]
    pub zkb_url: Url,
    /// ESI's base URL.
    #[arg(long, env = "WK_ESI_URL", default_value = "https://esi.evetech.net/")]
    pub esi_url: Url,
    /// Milliseconds between two ESI requests; names in bulk are asked for half as often.
    #[arg(long, env = "WK_ESI_INTERVAL_MS", default_value_t = 100)]
    pub esi_interval_ms: u64,
    /// EVE Ref's base URL.
    #[arg(
        long,
        env = "WK_EVEREF_URL",
        default_value = "https://data.everef.net/"
    )]
    pub everef_url: Url,
    /// Where ship types come from.
    #[arg(
        long,
        env = "WK_SHIP_TYPES_URL",
        default_value = "https://developers.eveonline.com/static-data/"
    )]
    pub ship_types_url: Url,
    /// Seconds that another server may take to answer.
    #[arg(long, env = "WK_UPSTREAM_TIMEOUT_S", default_value_t = 30)]
    pub upstream_timeout_s: u64,
}

impl UpstreamConfig {
    /// How long another server may take to answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.upstream_timeout_s)
    }

    /// Pause between two ESI requests.
    pub fn esi_interval(&self) -> Duration {
        Duration::from_millis(self.esi_interval_ms)
    }

    /// Who we say we are: program, version and who runs it. Servers block a blank User-Agent, and their
    /// owners want to know whom to ask.
    pub fn user_agent(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match &self.contact {
            Some(contact) => format!("wanderer-kills/{version} ({contact})"),
            None => format!("wanderer-kills/{version}"),
        }
    }
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            contact: None,
            zkb_url: super::known_url("https://zkillboard.com/"),
            esi_url: super::known_url("https://esi.evetech.net/"),
            esi_interval_ms: 100,
            everef_url: super::known_url("https://data.everef.net/"),
            ship_types_url: super::known_url("https://developers.eveonline.com/static-data/"),
            upstream_timeout_s: 30,
        }
    }
}
