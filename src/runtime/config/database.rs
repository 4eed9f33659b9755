use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Where killmails are kept.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseConfig {
    /// PostgreSQL 15 or newer; without it the service starts a private server of its own.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,
    /// A replica for read-only queries; the feed always uses the primary.
    #[arg(long, env = "DATABASE_READ_URL", hide_env_values = true)]
    pub database_read_url: Option<SecretString>,
    /// How far the replica may be behind before queries go to the primary, seconds.
    #[arg(long, env = "WK_REPLICA_LAG_SECONDS", default_value_t = DEFAULT_REPLICA_LAG_SECONDS)]
    pub replica_lag_seconds: u32,
    /// Folder of the private server [default: /var/lib/wanderer-kills for root, else below the user's data folder].
    #[arg(long, env = "WK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folder with PostgreSQL's programs (`initdb`, `postgres`); searched for when not given.
    #[arg(long, env = "PG_BIN_DIR")]
    pub pg_bin_dir: Option<PathBuf>,
    /// Most connections the service opens to the database, at least 3: a third each for historical queries, other
    /// reads, and what writes.
    #[arg(
        long,
        env = "WK_DATABASE_CONNECTIONS",
        default_value_t = DEFAULT_DATABASE_CONNECTIONS,
        value_parser = clap::value_parser!(u32).range(3..)
    )]
    pub database_connections: u32,
    /// Milliseconds that one statement of a historical query may take; past that the client is told what to narrow.
    #[arg(long, env = "WK_QUERY_TIMEOUT_MS", default_value_t = DEFAULT_QUERY_TIMEOUT_MS)]
    pub query_timeout_ms: u64,
}

/// Statistics may be as old anyway.
const DEFAULT_REPLICA_LAG_SECONDS: u32 = 10;

/// As many historical queries as take turns, three times.
const DEFAULT_DATABASE_CONNECTIONS: u32 = 18;

/// Several hundred times what a usual query takes.
const DEFAULT_QUERY_TIMEOUT_MS: u64 = 5_000;

impl DatabaseConfig {
    /// How far the replica may be behind.
    pub fn replica_lag(&self) -> Duration {
        Duration::from_secs(self.replica_lag_seconds.into())
    }

    /// How long one statement of a historical query may take.
    pub fn query_timeout(&self) -> Duration {
        Duration::from_millis(self.query_timeout_ms)
    }

    /// Where the private server keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir
            .clone()
            .unwrap_or_else(super::environment::default_data_dir)
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            database_url: None,
            database_read_url: None,
            replica_lag_seconds: DEFAULT_REPLICA_LAG_SECONDS,
            data_dir: None,
            pg_bin_dir: None,
            database_connections: DEFAULT_DATABASE_CONNECTIONS,
            query_timeout_ms: DEFAULT_QUERY_TIMEOUT_MS,
        }
    }
}
