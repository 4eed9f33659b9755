//! What nobody reports because nothing happens: pools, memory, disk and what waits in the database, looked at now
//! and then for `/metrics`.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::runtime::clock::SharedClock;
use crate::runtime::telemetry::metric::{Metric, set, set_count};
use crate::runtime::{descriptors, disk, memory};
use crate::store::health::WebhookCounts;
use crate::store::{Store, dead_letters, health};

/// Between two looks: as often as Prometheus usually comes.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Longest wait for the database at one look.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Looks, again and again.
#[derive(Debug)]
pub(super) struct Sampler {
    pub(super) store: Store,
    pub(super) clock: SharedClock,
    /// The private database's folder.
    pub(super) data_dir: Option<PathBuf>,
}

impl Sampler {
    /// Looks until `token` is cancelled. What the database does not tell in time keeps its last value.
    ///
    /// # Errors
    /// None.
    pub(super) async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        set(
            Metric::BuildInfo,
            1.0,
            &[("version", env!("CARGO_PKG_VERSION"))],
        );
        set_count(Metric::ProcessStartTime, self.clock.now().timestamp(), &[]);
        loop {
            self.look_around();
            let look = tokio::time::timeout(DATABASE_TIMEOUT, self.look_into_database());
            // The machine's timer: the pause is about the scraper.
            let round = async {
                match look.await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "metrics of the database are old"),
                    Err(_) => tracing::debug!("metrics of the database are old: no answer"),
                }
                tokio::time::sleep(LOOK_EVERY).await;
            };
            if token.run_until_cancelled(round).await.is_none() {
                return Ok(());
            }
        }
    }

    /// What this process knows.
    fn look_around(&self) {
        pool("primary", &self.store.pool);
        let reads = &self.store.reads;
        pool("read", &reads.primary().reads);
        pool("history", &reads.primary().history);
        if let Some(replica) = reads.replica() {
            pool("replica_read", &replica.reads);
            pool("replica_history", &replica.history);
            let in_use = u8::from(reads.replica_head().is_some());
            set_count(Metric::ReplicaInUse, in_use, &[]);
        }
        if let Some(bytes) = memory::resident() {
            set_count(Metric::ProcessResidentMemory, bytes, &[]);
        }
        if let Some(files) = memory::open_files() {
            set_count(Metric::ProcessOpenFiles, files, &[]);
        }
        if let Some(files) = descriptors::allowed() {
            set_count(Metric::ProcessMaxFiles, files, &[]);
        }
        if let Some(space) = self.data_dir.as_deref().and_then(disk::space) {
            set_count(Metric::DiskFreeBytes, space.free, &[]);
        }
    }

    /// What waits in the database.
    async fn look_into_database(&self) -> crate::store::Result<()> {
        let pool = &self.store.pool;
        set_count(
            Metric::DeadLettersStored,
            dead_letters::count(pool).await?,
            &[],
        );
        let WebhookCounts {
            active,
            retrying,
            paused,
            furthest_back: _,
        } = health::webhook_counts(pool).await?;
        for (state, number) in [
            ("active", active),
            ("retrying", retrying),
            ("paused", paused),
        ] {
            set_count(Metric::Webhooks, number, &[("state", state)]);
        }
        Ok(())
    }
}

fn pool(name: &str, pool: &PgPool) {
    let open = usize::try_from(pool.size()).unwrap_or(usize::MAX);
    let idle = pool.num_idle().min(open);
    for (state, number) in [("used", open - idle), ("idle", idle)] {
        set_count(
            Metric::DatabaseConnections,
            number,
            &[("pool", name), ("state", state)],
        );
    }
    let most = pool.options().get_max_connections();
    set_count(Metric::DatabaseConnectionsMax, most, &[("pool", name)]);
}
