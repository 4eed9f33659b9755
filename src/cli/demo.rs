use std::net::SocketAddr;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::ingest::{live, reference_data};
use crate::runtime::clock::SystemClock;
use crate::runtime::config::{
    ApiConfig, BackfillConfig, Config, DatabaseConfig, FeedConfig, IngestConfig, LiveConfig,
    LiveSource, PreloadConfig, UpstreamConfig,
};
use crate::service::{Database, Service};
use crate::simulator::{Simulator, SimulatorConfig};
use crate::store::{Store, cursors, killmails};
use crate::upstream::http::{HttpClient, HttpSettings};
use crate::upstream::static_data::StaticDataClient;

/// Milliseconds between two requests to the simulator while there is something new.
const INTERVAL_MS: u64 = 10;
/// Milliseconds to wait after the simulator's 404.
const IDLE_MS: u64 = 100;
/// Milliseconds between two requests to the simulator's ESI.
const ESI_INTERVAL_MS: u64 = 5;
/// Where the simulator's numbers start in an empty database.
const FIRST_SEQUENCE: i64 = 100_000_001;
/// Where its killmail ids start.
const FIRST_KILLMAIL_ID: i64 = 130_000_001;
/// Published at once, so that there is something to see.
const FIRST_KILLMAILS: usize = 20;

/// Serve against the built-in simulator: no network needed. Always uses a private database of its own.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Inbound HTTP.
    #[command(flatten)]
    pub api: ApiConfig,
    /// The pipeline.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// The feed.
    #[command(flatten)]
    pub feed: FeedConfig,
    /// Killmails published a second (the game has about 0.2).
    #[arg(long, env = "WK_DEMO_RATE", default_value_t = 2.0)]
    pub rate: f64,
    /// Seed of the generator.
    #[arg(long, env = "WK_DEMO_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Folder of the demo's database [default: `demo` below the service's data folder].
    #[arg(long, env = "WK_DEMO_DATA_DIR")]
    pub data_dir: Option<std::path::PathBuf>,
    /// Folder with PostgreSQL's programs; searched for when not given.
    #[arg(long, env = "PG_BIN_DIR")]
    pub pg_bin_dir: Option<std::path::PathBuf>,
}

pub(super) async fn run(args: DemoArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let database_config = DatabaseConfig {
        data_dir: Some(args.data_dir.clone().unwrap_or_else(demo_folder)),
        pg_bin_dir: args.pg_bin_dir.clone(),
        ..DatabaseConfig::default()
    };
    let database = Database::open(&database_config).await?;
    let simulator = start_simulator(&args, &database.store).await?;
    load_reference_data(&database.store, &simulator)
        .await
        .context("loading the reference data")?;
    let config = Config {
        live: LiveConfig {
            live_source: LiveSource::R2z2,
            r2z2_url: simulator.r2z2_url(),
            r2z2_start: Some(FIRST_SEQUENCE),
            r2z2_interval_ms: INTERVAL_MS,
            r2z2_idle_ms: IDLE_MS,
            ..LiveConfig::default()
        },
        upstream: UpstreamConfig {
            esi_url: simulator.esi_url(),
            esi_interval_ms: ESI_INTERVAL_MS,
            zkb_url: simulator.zkb_url(),
            everef_url: simulator.everef_url(),
            ship_types_url: simulator.ship_types_url(),
            ..UpstreamConfig::default()
        },
        api: args.api,
        database: database_config,
        ingest: args.ingest,
        feed: args.feed,
        preload: PreloadConfig::default(),
        backfill: BackfillConfig::default(),
    };
    let psql = database.psql_command();
    let service = Service::build_on(database, config, SystemClock::shared()).await?;
    let outcome = service
        .run(shutdown, |address| introduce(address, psql.as_deref()))
        .await;
    simulator.shutdown().await;
    outcome
}

/// The demo's kills never mix with real ones.
fn demo_folder() -> std::path::PathBuf {
    DatabaseConfig::default().data_dir().join("demo")
}

/// Starts the simulator behind what earlier demos of this folder have stored.
async fn start_simulator(args: &DemoArgs, store: &Store) -> anyhow::Result<Simulator> {
    let cursor = cursors::load(&store.pool, live::R2Z2).await?;
    let newest = killmails::newest_id(&store.pool).await?;
    let simulator = Simulator::start(SimulatorConfig {
        rate_per_second: Some(args.rate),
        seed: args.seed,
        first_sequence: cursor.map_or(FIRST_SEQUENCE, |cursor| cursor.position + 1),
        first_killmail_id: newest.map_or(FIRST_KILLMAIL_ID, |newest| newest + 1),
        ..SimulatorConfig::default()
    })
    .await
    .context("starting the simulator")?;
    simulator.publish(FIRST_KILLMAILS);
    Ok(simulator)
}

/// Loads types and systems before the first killmail: the service would do so a moment later.
async fn load_reference_data(store: &Store, simulator: &Simulator) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let http = HttpClient::new(&HttpSettings::default(), clock.clone())?;
    let client = StaticDataClient::new(http, simulator.ship_types_url());
    if let Some(data) = client.fetch(None).await? {
        reference_data::load(store, &data, false, clock.now()).await?;
    }
    Ok(())
}

fn introduce(address: SocketAddr, psql: Option<&str>) {
    super::say(&format!(
        "Killmails from the simulator arrive at http://{address}/ (a page for people)"
    ));
    super::say(&format!(
        "  curl 'http://{address}/api/killfeed?after=0&limit=5'"
    ));
    super::say(&format!("  curl -N 'http://{address}/api/killfeed/stream'"));
    super::say(&format!(
        "  websocket: ws://{address}/api/killfeed/ws?after=0"
    ));
    if let Some(psql) = psql {
        super::say(&format!("  {psql} -c 'select count(*) from killmails'"));
    }
    super::say("Ctrl-C stops it; the next start goes on where this one was.");
}
