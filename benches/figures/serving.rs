//! The service: the real binary as a process of its own, and its feed inside this one.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use wanderer_kills::feed::Feed;
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::runtime::config::FeedConfig;
use wanderer_kills::runtime::supervisor::Supervisor;

use super::database::Database;
use super::http_load;

/// Looks at a starting service before it is given up, 100 ms apart.
const LOOKS: usize = 300;

/// Between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// What opens the service's requests without limits.
pub(crate) const ADMIN_TOKEN: &str = "figures";

/// The real binary, serving one database, following no source unless it is told to. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(database: &Database) -> anyhow::Result<Self> {
        Self::start_with(database, &[]).await
    }

    /// As [`Process::start`], with further variables in its environment.
    pub(crate) async fn start_with(
        database: &Database,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let address = free_address().await?;
        let child = Command::new(env!("CARGO_BIN_EXE_wanderer-kills"))
            .args(["serve", "--listen"])
            .arg(address.to_string())
            .env("DATABASE_URL", &database.url)
            .env("WK_LIVE_SOURCE", "none")
            .env("WK_LOG", "warn")
            .env("WK_ADMIN_TOKEN", ADMIN_TOKEN)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting the service")?;
        let process = Self { child, address };
        for _ in 0..LOOKS {
            if http_load::get(address, "/ping").await.is_ok() {
                return Ok(process);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        bail!("the service does not answer on {address}")
    }

    /// Resident memory in bytes.
    pub(crate) async fn resident(&self) -> anyhow::Result<f64> {
        let pid = self.child.id().context("the service has ended")?;
        let status = tokio::fs::read_to_string(format!("/proc/{pid}/status")).await?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: u32 = kilobytes.context("no VmRSS")?.parse()?;
        Ok(f64::from(kilobytes) * 1024.0)
    }

    /// Seconds of CPU that its threads have taken.
    pub(crate) async fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let pid = self.child.id().context("the service has ended")?;
        let mut threads = tokio::fs::read_dir(format!("/proc/{pid}/task")).await?;
        let mut taken = Duration::ZERO;
        while let Some(thread) = threads.next_entry().await? {
            let stat = tokio::fs::read_to_string(thread.path().join("schedstat")).await?;
            let nanoseconds = stat.split_whitespace().next().context("no schedstat")?;
            taken += Duration::from_nanos(nanoseconds.parse()?);
        }
        Ok(taken.as_secs_f64())
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("stopping the service")
    }
}

async fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?)
}

/// The feed inside this process, as a program that embeds the library has it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) feed: Feed,
    supervisor: Supervisor,
}

impl Service {
    pub(crate) async fn start(database: &Database) -> anyhow::Result<Self> {
        let supervisor = Supervisor::new();
        let config = FeedConfig {
            feed_days: 7,
            ring_events: 4_096.try_into()?,
            ring_mb: 32.try_into()?,
            feed_poll_ms: 1_000,
        };
        let clock = SystemClock::shared();
        let feed = Feed::start(database.store.clone(), config, clock, &supervisor).await?;
        Ok(Self { feed, supervisor })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.supervisor.shut_down();
        self.supervisor.join().await
    }
}
