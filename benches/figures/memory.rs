//! Memory over a long time: a night without a kill, then kill after kill.
//!
//! The night is compressed: libfaketime makes the process's clocks, timers included, run faster, so that it polls, looks,
//! checks and sweeps as often as in a real one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use super::Options;
use super::corpus::{Running, killmails};
use super::database::Server;
use super::report::Report;
use super::serving::Process;

/// How many seconds of the process one second of the machine is.
const FASTER: u32 = 120;
/// The night, as the process sees it.
const NIGHT: Duration = Duration::from_hours(8);
/// Until everything has been done once: connections are open, tables are read, caches have their first entries.
const SETTLED: Duration = Duration::from_secs(10);
/// Killmails made at a time.
const CHUNK: usize = 10_000;
/// Looks on the way through all killmails.
const LOOKS: usize = 10;

const MEGABYTE: f64 = 1_000_000.0;

/// Measures.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    match library() {
        Some(library) => night(server, &library, report).await?,
        None => println!("no libfaketime here: the night is left out"),
    }
    stream(server, options.rows, report).await
}

/// Debian's place for libfaketime.
fn library() -> Option<PathBuf> {
    let below = std::fs::read_dir("/usr/lib").ok()?.flatten();
    let mut found = below.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|library| library.exists())
}

/// A live source that has nothing new.
async fn night(server: &Server, library: &Path, report: &mut Report) -> anyhow::Result<()> {
    let database = server.database("memory_night").await?;
    let simulator = Simulator::start(SimulatorConfig::default()).await?;
    let library = library.to_str().context("the library's path")?;
    let faster = format!("+0 x{FASTER}");
    let (r2z2, esi) = (simulator.r2z2_url(), simulator.esi_url());
    let first = SimulatorConfig::default().first_sequence.to_string();
    let variables = [
        ("LD_PRELOAD", library),
        ("FAKETIME", faster.as_str()),
        ("NO_FAKE_STAT", "1"),
        ("WK_LIVE_SOURCE", "r2z2"),
        ("WK_CONTACT", "figures@example.org"),
        ("WK_R2Z2_URL", r2z2.as_str()),
        ("WK_R2Z2_START", first.as_str()),
        ("WK_ESI_URL", esi.as_str()),
        // What these have is loaded already, and a night is too short for what is in them to change.
        ("WK_SHIP_TYPES_URL", NOBODY),
        ("WK_ZKB_URL", NOBODY),
        ("WK_EVEREF_URL", NOBODY),
        ("WK_LOG", "error"),
    ];
    let service = Process::start_with(&database, &variables).await?;
    tokio::time::sleep(SETTLED).await;
    let evening = service.resident().await?;
    tokio::time::sleep(NIGHT / FASTER).await;
    let morning = service.resident().await?;
    report.add("resident, in the evening", evening / MEGABYTE, "MB");
    report.add(
        format!("resident, {} quiet hours later", NIGHT.as_secs() / 3_600),
        morning / MEGABYTE,
        "MB",
    );
    service.stop().await?;
    simulator.shutdown().await;
    Ok(())
}

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9/";

/// Killmails that another process stores, and this one reads for its clients.
async fn stream(server: &Server, number: usize, report: &mut Report) -> anyhow::Result<()> {
    let database = server.database("memory_stream").await?;
    let service = Process::start(&database).await?;
    tokio::time::sleep(SETTLED).await;
    report.add(
        "resident, before the first killmail",
        service.resident().await? / MEGABYTE,
        "MB",
    );
    let mut sent = 0;
    let mut next_look = number.div_ceil(LOOKS);
    let now = SystemClock::shared().now();
    while sent < number {
        let chunk = CHUNK.min(number - sent);
        let first_id = i64::try_from(sent)? * 100 + 1;
        Running::start(&database.store)?
            .send_all(killmails(first_id, chunk, now))
            .await?;
        sent += chunk;
        if sent >= next_look {
            let resident = service.resident().await? / MEGABYTE;
            report.add(format!("resident, after {sent} killmails"), resident, "MB");
            next_look += number.div_ceil(LOOKS);
        }
    }
    service.stop().await
}
