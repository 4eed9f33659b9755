//! The program: arguments, logs, signals and the exit code. Everything else is the library's.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tokio_util::sync::CancellationToken;
use wanderer_kills::cli::Cli;
use wanderer_kills::runtime::descriptors;
use wanderer_kills::runtime::signals::StopSignals;
use wanderer_kills::runtime::telemetry::{exposition, logs};

/// Killmails are made of small pieces, which the usual allocator takes a seventh of a backfill's time for. Huge pages are
/// off: they hold twice the memory that an idle process needs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    // Dropped last, when the spans of the end are there.
    let _traces = logs::install(&cli.telemetry)?;
    descriptors::raise();
    exposition::install().context("setting up metrics")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let signals = StopSignals::catch().context("catching signals")?;
        let shutdown = CancellationToken::new();
        tokio::select! {
            outcome = cli.run(shutdown.clone()) => outcome.map(|()| ExitCode::SUCCESS),
            () = signals.until_second(&shutdown) => Ok(ExitCode::FAILURE),
        }
    })
}
