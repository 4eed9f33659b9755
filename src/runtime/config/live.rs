use std::time::Duration;

use url::Url;

/// Where live killmails come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LiveSource {
    /// zKillboard's numbered files.
    R2z2,
    /// A server that speaks RedisQ's protocol.
    Redisq,
    /// None: serve what is stored.
    None,
}

/// The live source.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Live source")]
pub struct LiveConfig {
    /// Where live killmails come from.
    #[arg(long, env = "WK_LIVE_SOURCE", default_value = "r2z2")]
    pub live_source: LiveSource,
    /// R2Z2's base URL.
    #[arg(
        long,
        env = "WK_R2Z2_URL",
        default_value = "https://r2z2.zkillboard.com/"
    )]
    pub r2z2_url: Url,
    /// Base URL of a RedisQ-compatible server.
    #[arg(
        long,
        env = "WK_REDISQ_URL",
        default_value = "https://killmail.stream/"
    )]
    pub redisq_url: Url,
    /// First R2Z2 number to read where nothing is stored yet [default: a little before the newest].
    #[arg(long, env = "WK_R2Z2_START", value_parser = clap::value_parser!(i64).range(1..))]
    pub r2z2_start: Option<i64>,
    /// Milliseconds between two R2Z2 requests while there is something new.
    #[arg(long, env = "WK_R2Z2_INTERVAL_MS", default_value_t = 200)]
    pub r2z2_interval_ms: u64,
    /// Milliseconds to wait after R2Z2's 404.
    #[arg(long, env = "WK_R2Z2_IDLE_MS", default_value_t = 6000)]
    pub r2z2_idle_ms: u64,
}

impl LiveConfig {
    /// Pause between two requests while there is something new.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.r2z2_interval_ms)
    }

    /// Pause after a 404.
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.r2z2_idle_ms)
    }
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            live_source: LiveSource::R2z2,
            r2z2_url: super::known_url("https://r2z2.zkillboard.com/"),
            redisq_url: super::known_url("https://killmail.stream/"),
            r2z2_start: None,
            r2z2_interval_ms: 200,
            r2z2_idle_ms: 6000,
        }
    }
}
