use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

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

/// The database: a pool for everything, one for reads that may be a replica. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// The primary.
    pub pool: PgPool,
    /// The replica, or the primary again; its statements end after half a minute.
    pub read_pool: PgPool,
    /// The primary's URL, for connections that must not come from the pool (LISTEN, advisory locks).
    pub url: SecretString,
}

impl Store {
    /// Opens the pools (bounded, with acquire time-out). Does not migrate, and does not wait for a replica.
    ///
    /// Without a replica the two pools share the configured number of connections, so that readers can't
    /// take the ingester's; a single connection serves both.
    ///
    /// # Errors
    /// When the primary can't be reached.
    pub async fn connect(url: &str, config: &DatabaseConfig) -> Result<Self> {
        let connections = config.database_connections.get();
        let replica = config
            .database_read_url
            .as_ref()
            .map(ExposeSecret::expose_secret);
        let for_reads = if replica.is_some() {
            connections
        } else {
            connections / 2
        };
        let for_all = if replica.is_some() {
            connections
        } else {
            connections - for_reads
        };
        let pool = PgPoolOptions::new()
            .max_connections(for_all)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options(url)?.options(PLANNING))
            .await
            .map_err(Error::query("connecting to the database"))?;
        let read_pool = if for_reads == 0 {
            pool.clone()
        } else {
            let options = options(replica.unwrap_or(url))?
                .options(PLANNING)
                .options([("statement_timeout", READ_STATEMENT_TIMEOUT)]);
            PgPoolOptions::new()
                .max_connections(for_reads)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_lazy_with(options)
        };
        Ok(Self {
            pool,
            read_pool,
            url: SecretString::from(url.to_owned()),
        })
    }
}

/// Connection options of a URL, with our name on them.
pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(Error::query("reading the database's URL"))?;
    Ok(options.application_name("wanderer-kills"))
}
