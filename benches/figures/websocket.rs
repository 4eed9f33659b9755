//! Websocket messages per second to many listeners.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::task::JoinSet;
use wanderer_kills::runtime::clock::SystemClock;

use super::corpus::{Running, killmails};
use super::database::Server;
use super::listener;
use super::report::{Aim, Report};
use super::serving::Process;

/// Descriptors this program wants: two thousand above the most listeners.
const DESCRIPTORS: u64 = 8_000;

/// Messages of one measurement, all listeners together.
const MESSAGES: u32 = 1_000_000;

/// Bytes of a megabyte, as networks count them.
const MEGABYTE: f64 = 1_000_000.0;

/// Measures.
pub(crate) async fn measure(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    raise_descriptor_limit()?;
    for listeners in [1_000, 5_000] {
        measure_with(server, listeners, report).await?;
    }
    Ok(())
}

async fn measure_with(server: &Server, listeners: u32, report: &mut Report) -> anyhow::Result<()> {
    let database = server.database(&format!("websocket_{listeners}")).await?;
    let service = Process::start(&database).await?;
    let burst = usize::try_from(MESSAGES / listeners)?;
    let mut reading = JoinSet::new();
    for listener in listener::open(service.address, listeners).await? {
        reading.spawn(listener.read(burst));
    }
    let clock = SystemClock::shared();
    let killmails = killmails(1, burst, clock.now());
    let running = Running::start(&database.store)?;
    let started = clock.monotonic();
    running.send_all(killmails).await?;
    let committed = clock.monotonic().saturating_sub(started).as_secs_f64();
    let (mut bytes, mut open) = (0.0, Vec::new());
    while let Some(read) = reading.join_next().await {
        let (listener, received) = read??;
        bytes += f64::from(u32::try_from(received)?);
        open.push(listener);
    }
    let elapsed = clock.monotonic().saturating_sub(started).as_secs_f64();
    let messages = f64::from(MESSAGES);
    report.aim(
        format!("websocket messages to {listeners} listeners, commit included"),
        messages / elapsed,
        "messages/s",
        Aim::AtLeast(250_000.0),
    );
    report.add("… bytes", bytes / elapsed / MEGABYTE, "MB/s");
    report.add(
        "… of the time until all was committed",
        committed / elapsed,
        "×",
    );
    let resident = service.resident().await?;
    report.add("… resident afterwards", resident / MEGABYTE, "MB");
    service.stop().await
}

/// Raises this process's limit, and that of what it starts, as far as it may.
pub(crate) fn raise_descriptor_limit() -> anyhow::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < DESCRIPTORS {
        setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS.min(hard), hard)?;
    }
    Ok(())
}
