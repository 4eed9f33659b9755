use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

use super::killmails::query;
use super::reads::{Pools, Reads};
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

/// How long a connection for history may have been idle before the server is asked whether it is still there. When one
/// ends within that time, the query that comes next fails.
const TRUSTED_FOR: Duration = Duration::from_millis(100);

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
    /// Three pools of the primary share the configured number of connections, so that readers can't take the
    /// ingester's, nor historical queries those of the others. A replica gets as many again, for two.
    ///
    /// # Errors
    /// When the primary can't be reached.
    pub async fn connect(url: &str, config: &DatabaseConfig) -> Result<Self> {
        let connections = config.database_connections;
        let third = (connections / 3).max(1);
        let timeout = config.query_timeout();
        let pool = limited(connections.saturating_sub(2 * third))
            .connect_with(options(url)?.options(PLANNING))
            .await
            .map_err(Error::query("connecting to the database"))?;
        let primary = read_pools(url, third, third, timeout)?;
        let replica = config
            .database_read_url
            .as_ref()
            .map(|url| {
                let reads = connections.saturating_sub(third);
                read_pools(url.expose_secret(), reads, third, timeout)
            })
            .transpose()?;
        let reads = Reads::new(primary, replica, timeout);
        Ok(Self {
            pool,
            reads,
            url: SecretString::from(url.to_owned()),
        })
    }
}

/// Pools that open their connections when they are asked for.
fn read_pools(url: &str, reads: u32, history: u32, timeout: Duration) -> Result<Pools> {
    let options = options(url)?.options(PLANNING);
    let for_history = options
        .clone()
        .options(query::PLANNING)
        .options([("default_transaction_read_only", "on")])
        .options([("statement_timeout", timeout.as_millis().max(1).to_string())]);
    let for_reads = options.options([("statement_timeout", READ_STATEMENT_TIMEOUT)]);
    // A page of history is two statements: a question before them would be a third.
    let trusting =
        limited(history)
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
    Ok(Pools {
        reads: limited(reads).connect_lazy_with(for_reads),
        history: trusting.connect_lazy_with(for_history),
    })
}

fn limited(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
}

/// Connection options of a URL, with our name on them.
pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(Error::query("reading the database's URL"))?;
    Ok(options.application_name("wanderer-kills"))
}
