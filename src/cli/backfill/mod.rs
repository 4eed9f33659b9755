//! `backfill`: the past, from zKillboard's lists of one entity.

mod entity;

use tokio_util::sync::CancellationToken;

use crate::runtime::config::{DatabaseConfig, IngestConfig, UpstreamConfig};

/// Store the past of systems, regions, characters, corporations and alliances.
///
/// Beside a running service, too: it sees the new killmails at once.
#[derive(Debug, clap::Args)]
pub struct BackfillCommand {
    /// Whose past.
    #[command(flatten)]
    pub entity: entity::EntityArgs,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The pipeline.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// The servers, and who asks them.
    #[command(flatten)]
    pub upstream: UpstreamConfig,
}

/// Runs until everything is stored or `shutdown` is cancelled.
pub(super) async fn run(
    command: BackfillCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    entity::run(command, shutdown).await
}
