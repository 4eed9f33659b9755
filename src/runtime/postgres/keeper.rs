//! Keeps the server: owns it, or waits beside the owner to take over.
//!
//! Input: the stop token. Output: one report about the first start, one about the end. Retry: a server that
//! dies, or does not start after it ran before, is started again with a growing pause, for ever. End: the token.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::bootstrap::{connects, create_service_database};
use super::cluster::Cluster;
use super::lock::OwnerLock;
use super::postmaster::Postmaster;
use super::remains::{PidFile, ask_to_end, processes_in};

/// Between two looks at the pid file; a start takes some 60 ms.
const READY_POLL: Duration = Duration::from_millis(20);
/// Looks at an earlier server that does not end before it is asked to: about two seconds.
const LOOKS_BEFORE_ASKING: u32 = 100;
/// Between two attempts to join, or to take over from, another process.
const OWNER_POLL: Duration = Duration::from_millis(100);
/// For the replay of the write-ahead log after a crash, which must not be cut short: it would begin again.
const RECOVERY_LIMIT: Duration = Duration::from_mins(15);
/// First and longest pause before the server is started again.
const RESTART_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// A server that ran this long is not in a crash loop.
const STEADY_AFTER: Duration = Duration::from_mins(1);

type Report = oneshot::Sender<Result<(), Error>>;

/// The keeper's thread, from its first to its last line.
pub(super) fn run(cluster: &Cluster, stop: &CancellationToken, started: Report, ended: Report) {
    let result = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(Keeper::new(cluster, stop, started).keep()),
        Err(error) => {
            tell(
                started,
                Err(Error::io("start a runtime for", &cluster.data())(error)),
            );
            return;
        }
    };
    tell(ended, result);
}

// Whoever asked may have gone, which is no matter.
fn tell(report: Report, result: Result<(), Error>) {
    if let Err(Err(error)) = report.send(result) {
        tracing::warn!(%error, "the embedded PostgreSQL failed after its handle was dropped");
    }
}

struct Keeper<'a> {
    cluster: &'a Cluster,
    stop: &'a CancellationToken,
    started: Option<Report>,
}

impl<'a> Keeper<'a> {
    fn new(cluster: &'a Cluster, stop: &'a CancellationToken, started: Report) -> Self {
        Self {
            cluster,
            stop,
            started: Some(started),
        }
    }

    async fn keep(mut self) -> Result<(), Error> {
        let stop = self.stop;
        let result = match OwnerLock::open(&self.cluster.lock_file()) {
            Ok(lock) => match stop.run_until_cancelled(self.join(&lock)).await {
                // The lock is held until the server has stopped.
                Some(Ok(())) => self.own().await,
                Some(Err(error)) => Err(error),
                None => Ok(()),
            },
            Err(error) => Err(error),
        };
        match (self.started.take(), result) {
            (Some(started), result) => {
                tell(started, result.and(Err(Error::KeeperGone)));
                Ok(())
            }
            (None, result) => result,
        }
    }

    /// Returns when we hold the lock. Until then the server is another process's.
    async fn join(&mut self, lock: &OwnerLock) -> Result<(), Error> {
        if lock.take()? {
            return Ok(());
        }
        let limit = self.cluster.start_timeout;
        let wait = async {
            loop {
                if lock.take()? {
                    return Ok(true);
                }
                if connects(&self.cluster.url()).await {
                    return Ok(false);
                }
                tokio::time::sleep(OWNER_POLL).await;
            }
        };
        let operation = "joining the embedded PostgreSQL of another process";
        let ours = tokio::time::timeout(limit, wait)
            .await
            .map_err(|_| Error::Timeout { operation, limit })??;
        if ours {
            return Ok(());
        }
        tracing::info!(folder = %self.cluster.data().display(), "joined the running PostgreSQL");
        self.running();
        while !lock.take()? {
            tokio::time::sleep(OWNER_POLL).await;
        }
        tracing::warn!("the process that ran PostgreSQL has gone, taking over");
        Ok(())
    }

    /// Runs the server until we are to stop.
    async fn own(&mut self) -> Result<(), Error> {
        let (mut pause, longest) = RESTART_PAUSE;
        loop {
            let begun = tokio::time::Instant::now();
            match self.run_once().await {
                Ok(Ended::Stopped(result)) => return result,
                Ok(Ended::Died(status)) => {
                    tracing::error!(%status, "PostgreSQL has ended, starting it again");
                }
                Err(error) if self.started.is_some() => return Err(error),
                Err(error) => tracing::error!(%error, "PostgreSQL did not start, trying again"),
            }
            if begun.elapsed() > STEADY_AFTER {
                pause = RESTART_PAUSE.0;
            }
            if self
                .stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return Ok(());
            }
            pause = longest.min(pause * 2);
        }
    }

    /// One life of the server.
    async fn run_once(&mut self) -> Result<Ended, Error> {
        let stop = self.stop;
        let Some(launched) = stop.run_until_cancelled(self.launch()).await else {
            return Ok(Ended::Stopped(Ok(())));
        };
        let (mut postmaster, limit) = launched?;
        let ready = tokio::select! {
            () = stop.cancelled() => return Ok(Ended::Stopped(postmaster.stop().await)),
            ready = self.ready(&mut postmaster, limit) => ready,
        };
        match ready {
            Ok(()) => Ok(self.live(postmaster).await),
            Err(error) => {
                if let Err(error) = postmaster.stop().await {
                    tracing::error!(%error, "PostgreSQL neither started nor stopped");
                }
                Err(error)
            }
        }
    }

    /// From ready to the end.
    async fn live(&mut self, mut postmaster: Postmaster) -> Ended {
        let folder = self.cluster.data();
        tracing::info!(pid = postmaster.pid(), folder = %folder.display(), "PostgreSQL runs");
        self.running();
        tokio::select! {
            () = self.stop.cancelled() => Ended::Stopped(postmaster.stop().await),
            status = postmaster.wait() => Ended::Died(match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            }),
        }
    }

    /// Starts the server on a folder that it has for itself; with the limit for becoming ready.
    async fn launch(&self) -> Result<(Postmaster, Duration), Error> {
        let binaries = self.cluster.binaries().await?;
        self.cluster.create(&binaries).await?;
        self.wait_for_remains().await?;
        let pid_file = self.cluster.pid_file();
        let crashed = pid_file.exists();
        // Nobody works in the folder, so the process id in these is stale: it may be another program's by now,
        // or that of a killed server which nobody has reaped.
        for stale in [pid_file, self.cluster.socket_lock_file()] {
            if stale.exists() {
                std::fs::remove_file(&stale).map_err(Error::io("remove", &stale))?;
            }
        }
        let limit = if crashed {
            RECOVERY_LIMIT
        } else {
            self.cluster.start_timeout
        };
        let command = self.cluster.server_command(&binaries).await?;
        Ok((Postmaster::spawn(command)?, limit))
    }

    async fn wait_for_remains(&self) -> Result<(), Error> {
        let limit = self.cluster.start_timeout;
        let data = self.cluster.data();
        let gone = async {
            let mut remains = processes_in(&data);
            for looks in 1_u32.. {
                if remains.is_empty() {
                    break;
                }
                if looks.is_multiple_of(LOOKS_BEFORE_ASKING) {
                    remains.into_iter().for_each(ask_to_end);
                }
                tokio::time::sleep(READY_POLL).await;
                remains = processes_in(&data);
            }
        };
        let operation = "waiting for the end of an earlier server in the same folder";
        tokio::time::timeout(limit, gone)
            .await
            .map_err(|_| Error::Timeout { operation, limit })
    }

    async fn ready(&self, postmaster: &mut Postmaster, limit: Duration) -> Result<(), Error> {
        let pid = postmaster.pid();
        let pid_file = self.cluster.pid_file();
        let says_ready = async {
            while !PidFile::read(&pid_file).is_some_and(|file| file.pid == pid && file.ready) {
                tokio::time::sleep(READY_POLL).await;
            }
        };
        tokio::select! {
            status = postmaster.wait() => return Err(postmaster.exited(&status)),
            in_time = tokio::time::timeout(limit, says_ready) => in_time.map_err(|_| Error::Timeout {
                operation: "starting PostgreSQL",
                limit,
            })?,
        }
        create_service_database(&self.cluster.superuser_url()).await
    }

    fn running(&mut self) {
        if let Some(started) = self.started.take() {
            tell(started, Ok(()));
        }
    }
}

enum Ended {
    /// We stopped it, because we were asked to.
    Stopped(Result<(), Error>),
    /// It ended by itself.
    Died(String),
}
