use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::reads::Reads;
use super::{Error, Result};
use crate::runtime::config::DatabaseConfig;

/// How long a caller waits for a free connection: past that a request is better answered "busy".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a read may take in the server; the longest page of the interfaces takes a fraction of it.
const READ_STATEMENT_TIMEOUT: &str = "30s";

/// How the server plans our statements. Nearly all are look-ups by index, so a plan that is made once per
/// connection is as good as one for each execution, and planning over all partitions costs more than reading a
/// page of the feed. Such a plan may have been made while a partition was empty: it must not walk through it
/// once that is full.
const PLANNING: [(&str, &str); 2] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
];

/// The database: a pool for everything, others for reads, which may be a replica's. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// The primary.
    pub pool: PgPool,
    /// The replica, or the primary again; statements end after half a minute.
    pub reads: Reads,
    /// The primary's URL, for connections that must not come from the pool (LISTEN, advisory locks).
    pub url: SecretString,
}

impl Store {
    /// Opens the pools (bounded, with acquire time-out). Does not migrate, and does not wait for a replica.
    ///
    /// Two pools of the primary share the configured number of connections, so that readers can't take the
    /// ingester's; a single connection serves both. A replica gets as many again.
    ///
    /// # Errors
    /// When the primary can't be reached.
    pub async fn connect(url: &str, config: &DatabaseConfig) -> Result<Self> {
        let connections = config.database_connections.get();
        let for_reads = connections / 2;
        let pool = PgPoolOptions::new()
            .max_connections(connections - for_reads)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options(url)?.options(PLANNING))
            .await
            .map_err(Error::query("connecting to the database"))?;
        let primary = if for_reads == 0 {
            pool.clone()
        } else {
            read_pool(url, for_reads)?
        };
        let replica = config
            .database_read_url
            .as_ref()
            .map(|url| read_pool(url.expose_secret(), connections))
            .transpose()?;
        let reads = Reads::new(primary, replica);
        Ok(Self {
            pool,
            reads,
            url: SecretString::from(url.to_owned()),
        })
    }
}

/// A pool that opens its connections when they are asked for.
fn read_pool(url: &str, connections: u32) -> Result<PgPool> {
    let options = options(url)?
        .options(PLANNING)
        .options([("statement_timeout", READ_STATEMENT_TIMEOUT)]);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options))
}

/// Connection options of a URL, with our name on them.
pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(Error::query("reading the database's URL"))?;
    Ok(options.application_name("wanderer-kills"))
}
