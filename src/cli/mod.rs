//! The command line: one file per subcommand.

mod analyst;
mod backfill;
mod demo;
mod export;
mod healthcheck;
mod import;
mod migrate;
mod reconcile;
mod serve;
mod ship_types;
mod simulate;
mod stats;
mod token;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::runtime::config::TelemetryConfig;

/// The killmail service that EVE Online tool makers run themselves.
#[derive(Debug, Parser)]
#[command(name = "wanderer-kills", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Log output.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow the live source, store, and serve.
    Serve(Box<serve::ServeArgs>),
    /// Serve against the built-in simulator: no network needed.
    Demo(Box<demo::DemoArgs>),
    /// Fill the past.
    Backfill(Box<backfill::BackfillCommand>),
    /// Hold days against what others count, and fetch what lacks.
    Reconcile(Box<reconcile::ReconcileCommand>),
    /// Store killmails from files.
    Import(Box<import::ImportCommand>),
    /// Write killmails to a file: Parquet, NDJSON or CSV.
    Export(Box<export::ExportCommand>),
    /// Make and drop read-only roles for people who ask in SQL.
    Analyst(Box<analyst::AnalystCommand>),
    /// Bring the database to the newest schema and end.
    Migrate(Box<migrate::MigrateArgs>),
    /// Keep ship types and solar systems.
    ShipTypes(Box<ship_types::ShipTypesCommand>),
    /// Keep statistics.
    Stats(Box<stats::StatsCommand>),
    /// Make, list and revoke API tokens.
    Token(Box<token::TokenCommand>),
    /// Ask a running service whether it answers.
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Run the stand-in upstream alone.
    Simulate(Box<simulate::SimulateArgs>),
}

impl Cli {
    /// Runs the subcommand until it is done or `shutdown` is cancelled.
    ///
    /// # Errors
    /// What the user has to be told.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(args) => serve::run(*args, shutdown).await,
            Command::Demo(args) => demo::run(*args, shutdown).await,
            Command::Backfill(command) => backfill::run(*command, shutdown).await,
            Command::Reconcile(command) => reconcile::run(*command, shutdown).await,
            Command::Import(args) => import::run_command(*args, shutdown).await,
            Command::Export(command) => export::run(*command, shutdown).await,
            Command::Analyst(command) => analyst::run(*command).await,
            Command::Migrate(args) => migrate::run(*args, shutdown).await,
            Command::ShipTypes(args) => ship_types::run(*args, shutdown).await,
            Command::Stats(command) => stats::run(*command, shutdown).await,
            Command::Token(command) => token::run(*command).await,
            Command::Healthcheck(args) => healthcheck::run(args).await,
            Command::Simulate(args) => simulate::run(*args, shutdown).await,
        }
    }
}

/// Prints a line that belongs to the command's answer, not to its log.
#[expect(
    clippy::print_stdout,
    reason = "the answer of a command goes to standard output"
)]
fn say(line: &str) {
    println!("{line}");
}
