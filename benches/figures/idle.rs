//! Memory at rest: the service alone, and with idle websockets.

use super::database::Server;
use super::listener;
use super::report::{Aim, Report};
use super::serving::Process;
use super::websocket;

/// Idle websockets.
const LISTENERS: u32 = 5_000;

/// Bytes of a megabyte, as the aim counts them.
const MEGABYTE: f64 = 1_000_000.0;

/// Measures.
pub(crate) async fn measure(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    websocket::raise_descriptor_limit()?;
    let database = server.database("idle").await?;
    let service = Process::start(&database).await?;
    let alone = service.resident().await?;
    let listeners = listener::open(service.address, LISTENERS).await?;
    let crowded = service.resident().await?;
    drop(listeners);
    let each = (crowded - alone) / f64::from(LISTENERS);
    report.aim("resident, idle", alone / MEGABYTE, "MB", Aim::Below(60.0));
    report.aim(
        "resident per idle websocket",
        each,
        "B",
        Aim::Below(16_000.0),
    );
    service.stop().await
}
