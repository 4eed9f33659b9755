//! Ctrl-C and SIGTERM, for the program; a host that embeds the library has its own.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals by which we are asked to stop, caught from its making on.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Catches SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The first signal cancels `shutdown`; returns at the second, when the caller has to end at once. To be
    /// raced with the service itself.
    pub async fn until_second(mut self, shutdown: &CancellationToken) {
        self.next().await;
        tracing::info!("stopping; the same signal again ends the process at once");
        shutdown.cancel();
        self.next().await;
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
