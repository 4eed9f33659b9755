//! Configuration: one struct per section, each option with its environment variable. `--help` is the
//! reference, and nothing else reads the environment.

mod access;
mod api;
mod backfill;
mod database;
pub(crate) mod environment;
mod ingest;
mod live;
mod networks;
mod preload;
mod reference;
mod retention;
mod telemetry;
mod upstream;
mod validate;

pub use access::{AccessConfig, ApiTokens, ProxyHeader};
pub use api::ApiConfig;
pub use backfill::{BackfillConfig, BackfillSource};
pub use database::DatabaseConfig;
pub use ingest::{FeedConfig, IngestConfig};
pub use live::{LiveConfig, LiveSource};
pub use networks::{Networks, NetworksError};
pub use preload::PreloadConfig;
pub use reference::reference_table;
pub use retention::RetentionConfig;
pub use telemetry::{LogFormat, TelemetryConfig};
pub use upstream::UpstreamConfig;
pub use validate::{Asks, ConfigError};

use std::num::NonZeroUsize;

use url::Url;

/// Everything the service can be told.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Config {
    /// Inbound HTTP.
    #[command(flatten)]
    pub api: ApiConfig,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The live source.
    #[command(flatten)]
    pub live: LiveConfig,
    /// Servers we ask.
    #[command(flatten)]
    pub upstream: UpstreamConfig,
    /// The pipeline.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// The feed.
    #[command(flatten)]
    pub feed: FeedConfig,
    /// The past that is kept filled.
    #[command(flatten)]
    pub preload: PreloadConfig,
    /// Days of history.
    #[command(flatten)]
    pub backfill: BackfillConfig,
}

impl Config {
    /// Writes the effective configuration to the log, without secrets.
    pub fn log(&self) {
        tracing::info!(
            api = ?self.api, database = ?self.database, live = ?self.live, upstream = ?self.upstream,
            ingest = ?self.ingest, feed = ?self.feed, preload = ?self.preload,
            backfill = ?self.backfill,
            "effective configuration"
        );
    }
}

/// A constant of ours as a limit.
fn non_zero(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).unwrap_or(NonZeroUsize::MIN)
}

/// A constant of ours as a URL.
#[expect(
    clippy::expect_used,
    reason = "only for constants, all of which a test parses"
)]
fn known_url(url: &'static str) -> Url {
    Url::parse(url).expect("our own constant is a URL")
}
