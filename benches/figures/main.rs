//! Figures of the service, measured on this machine: `cargo bench -- [PART]... [--rows N] [--killmails N] [--seconds N] [--data-dir FOLDER]`.
//!
//! Everything runs on a private PostgreSQL in a temporary folder, and load comes from the same cores, so
//! each figure that can have one stands beside a ratio to something plain measured in the same run.

#![expect(clippy::print_stdout, reason = "the figures are the program's output")]

mod address_limits;
mod backfill;
mod corpus;
mod database;
mod disk;
mod enrichment;
mod frames;
mod http_load;
mod idle;
mod ingest;
mod killfeed;
mod latency;
mod listener;
mod memory;
mod phoenix;
mod phoenix_client;
mod phoenix_world;
mod query;
mod report;
mod serving;
mod statistics;
mod stored;
mod websocket;

use clap::{Parser, ValueEnum};

use database::Server;
use report::Report;
use wanderer_kills::runtime::telemetry::exposition;

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Killmails per second through the committer, and bytes on disk.
    Ingest,
    /// Killmails per second from day archives on disk.
    Backfill,
    /// What look-ups cost, and how often memory answers.
    Enrichment,
    /// From commit to a listener.
    Latency,
    /// Killfeed pages per second.
    Feed,
    /// Websocket messages per second.
    Websocket,
    /// Phoenix clients with maps of their own: latency, deliveries, memory.
    Phoenix,
    /// Memory at rest.
    Idle,
    /// Memory after a quiet night, and while `--rows` killmails come.
    Memory,
    /// What one client feels of others that ask too much.
    AddressLimits,
    /// Historical queries, with `--rows` killmails stored.
    Query,
    /// Statistics over the same killmails.
    Statistics,
    /// Bytes of the same killmails, by table and index.
    Disk,
}

/// Prints figures of the service.
#[derive(Debug, Parser)]
struct Options {
    /// Parts to measure; all when none is named.
    parts: Vec<Part>,
    /// Killmails in the database before the second ingest figure, for historical queries, statistics and disk.
    #[arg(long, default_value_t = 50_000)]
    rows: usize,
    /// Killmails of each ingest measurement.
    #[arg(long, default_value_t = 10_000)]
    killmails: usize,
    /// Days of archives, of as many killmails each as an ingest measurement has.
    #[arg(long, default_value_t = 6)]
    days: usize,
    /// Days of archives that are read at the same time.
    #[arg(long)]
    days_at_once: Option<std::num::NonZeroUsize>,
    /// Killmails of archives written in one transaction.
    #[arg(long)]
    batch_size: Option<std::num::NonZeroUsize>,
    /// Folder of the database's server, which is kept: what queries are asked of is stored once for all runs.
    #[arg(long)]
    data_dir: Option<std::path::PathBuf>,
    /// Seconds of each load measurement.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Given by `cargo bench` itself.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let wanted = |part: Part| options.parts.is_empty() || options.parts.contains(&part);
    exposition::install()?;
    let server = Server::start(options.data_dir.as_deref()).await?;
    let mut report = Report::default();
    if wanted(Part::Ingest) {
        ingest::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Backfill) {
        backfill::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Enrichment) {
        enrichment::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Latency) {
        latency::measure(&server, &mut report).await?;
    }
    if wanted(Part::Feed) {
        killfeed::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Websocket) {
        websocket::measure(&server, &mut report).await?;
    }
    if wanted(Part::Phoenix) {
        phoenix::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Idle) {
        idle::measure(&server, &mut report).await?;
    }
    if wanted(Part::Memory) {
        memory::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::AddressLimits) {
        address_limits::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Query) {
        query::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Statistics) {
        statistics::measure(&server, &options, &mut report).await?;
    }
    if wanted(Part::Disk) {
        disk::measure(&server, &options, &mut report).await?;
    }
    println!("{report}");
    server.stop().await
}
