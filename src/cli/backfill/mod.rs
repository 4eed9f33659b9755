//! `backfill`: the past, by days or of one entity.

mod days;
mod display;
mod entity;

use tokio_util::sync::CancellationToken;

use crate::runtime::config::{
    BackfillConfig, DatabaseConfig, IngestConfig, LiveConfig, UpstreamConfig,
};

/// Fill the past: whole days (`--from`), or that of systems, regions, characters, corporations and alliances.
///
/// Beside a running service, too: it sees the new killmails at once.
#[derive(Debug, clap::Args)]
pub struct BackfillCommand {
    /// Days of history.
    #[command(flatten)]
    pub days: days::DaysArgs,
    /// Whose past.
    #[command(flatten)]
    pub entity: entity::EntityArgs,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The servers, and who asks them.
    #[command(flatten)]
    pub upstream: UpstreamConfig,
    /// R2Z2, and how fast it may be asked.
    #[command(flatten)]
    pub live: LiveConfig,
    /// The pipeline.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// How much at once.
    #[command(flatten)]
    pub backfill: BackfillConfig,
}

pub(in crate::cli) use days::history;
pub(in crate::cli) use display::Display;

/// Runs until everything is stored or `shutdown` is cancelled.
pub(super) async fn run(
    command: BackfillCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    if command.days.from.is_some() {
        days::run(command, shutdown).await
    } else {
        entity::run(command, shutdown).await
    }
}
