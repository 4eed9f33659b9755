//! `ship-types update`: types, systems and fixed names from a server or from files.

use std::path::PathBuf;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::ingest::reference_data::{self, Outcome, Report};
use crate::runtime::clock::SystemClock;
use crate::runtime::config::{DatabaseConfig, UpstreamConfig};
use crate::service::Database;
use crate::upstream::http::{HttpClient, HttpSettings};
use crate::upstream::static_data::{self, ReferenceData, StaticDataClient};

/// Keep ship types and solar systems.
#[derive(Debug, clap::Args)]
pub struct ShipTypesCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with reference data.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Load what is newest.
    Update(Box<UpdateArgs>),
}

/// Load ship types, solar systems, factions and NPC corporations.
///
/// Beside a running service, too: it sees the new rows at once.
#[derive(Debug, clap::Args)]
pub struct UpdateArgs {
    /// A URL like `WK_SHIP_TYPES_URL`, CCP's zip, a folder of tables, or a table (CSV or JSON lines, plain, .gz
    /// or .bz2); files that are given together are joined [default: `WK_SHIP_TYPES_URL`].
    #[arg(long, value_name = "URL|FILE")]
    pub from: Vec<String>,
    /// Load a table even where it has far fewer rows than the last load.
    #[arg(long)]
    pub force: bool,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The server, and who asks it.
    #[command(flatten)]
    pub upstream: UpstreamConfig,
}

/// Runs the action.
pub(super) async fn run(
    command: ShipTypesCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let Action::Update(arguments) = command.action;
    shutdown
        .run_until_cancelled(update(&arguments))
        .await
        .unwrap_or_else(|| Err(anyhow::anyhow!("interrupted; nothing more was stored")))
}

/// Fetches everything first, so that a source that fails leaves the tables as they are.
async fn update(arguments: &UpdateArgs) -> anyhow::Result<()> {
    let mut loads = Vec::new();
    for url in urls(arguments) {
        arguments.upstream.may_ask(&url)?;
        loads.push(fetch(&arguments.upstream, url).await?);
    }
    let files: Vec<PathBuf> = arguments
        .from
        .iter()
        .filter(|from| as_url(from).is_none())
        .map(PathBuf::from)
        .collect();
    if !files.is_empty() {
        let reading = tokio::task::spawn_blocking(move || static_data::read_files(&files));
        loads.push(reading.await.context("reading files")??);
    }
    let database = Database::open(&arguments.database).await?;
    let stored = store(&database, &loads, arguments.force).await;
    let closed = database.close().await;
    stored.and(closed)
}

/// The URLs to ask; files stay out.
fn urls(arguments: &UpdateArgs) -> Vec<Url> {
    if arguments.from.is_empty() {
        return vec![arguments.upstream.ship_types_url.clone()];
    }
    arguments
        .from
        .iter()
        .filter_map(|from| as_url(from))
        .collect()
}

fn as_url(from: &str) -> Option<Url> {
    from.contains("://")
        .then(|| Url::parse(from).ok())
        .flatten()
}

async fn fetch(config: &UpstreamConfig, url: Url) -> anyhow::Result<ReferenceData> {
    let settings = HttpSettings {
        user_agent: config.user_agent(),
        longest_stall: Some(config.timeout()),
        ..HttpSettings::default()
    };
    let http = HttpClient::new(&settings, SystemClock::shared())?;
    let client = StaticDataClient::new(http, url);
    client
        .fetch(None)
        .await?
        .with_context(|| format!("{} sent nothing", client.origin()))
}

async fn store(database: &Database, loads: &[ReferenceData], force: bool) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let mut refusals = Vec::new();
    for data in loads {
        let report = reference_data::load(&database.store, data, force, clock.now()).await?;
        super::say(&summary(data, &report));
        refusals.extend(report.refusals());
    }
    anyhow::ensure!(refusals.is_empty(), "{}", refusals.join("; "));
    Ok(())
}

/// A line for each table.
fn summary(data: &ReferenceData, report: &Report) -> String {
    let mut lines = vec![match &data.version {
        Some(version) => format!("{} ({version})", data.origin),
        None => data.origin.clone(),
    }];
    for loaded in &report.tables {
        let rows = loaded.rows;
        let outcome = match loaded.outcome {
            Outcome::Stored(written) => format!(
                "{} new, {} changed, {} unchanged",
                written.new,
                written.changed,
                rows - written.new - written.changed
            ),
            Outcome::Refused { stored } => {
                format!("refused (the last load had {stored}), nothing stored")
            }
        };
        lines.push(format!("{}: {rows} read, {outcome}", loaded.table.as_str()));
    }
    let read = report.read;
    lines.push(format!(
        "joined with {} groups, {} categories, {} constellations, {} regions; {} rows skipped",
        read.groups, read.categories, read.constellations, read.regions, read.skipped
    ));
    lines.join("\n")
}
