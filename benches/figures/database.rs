//! A private PostgreSQL, and databases on it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use tokio_util::task::AbortOnDropHandle;
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::runtime::postgres::{EmbeddedPostgres, Settings};
use wanderer_kills::simulator::catalog;
use wanderer_kills::store::{Store, migrate, names, ship_types, systems};

/// Names written in one statement.
const NAMES_PER_STATEMENT: usize = 1_000;

/// A server in a temporary folder, gone with the program, or in one that is kept.
#[derive(Debug)]
pub(crate) struct Server {
    postgres: EmbeddedPostgres,
    _folder: Option<TempDir>,
}

impl Server {
    pub(crate) async fn start(kept: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = kept {
            return Ok(Self {
                postgres: EmbeddedPostgres::start(Settings::new(folder)).await?,
                _folder: None,
            });
        }
        let folder = tempfile::Builder::new().prefix("figures-").tempdir()?;
        // The server's account is another one when this program runs as root.
        let readable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), readable)?;
        let postgres = EmbeddedPostgres::start(Settings::new(folder.path())).await?;
        Ok(Self {
            postgres,
            _folder: Some(folder),
        })
    }

    /// A new database with the newest schema and the names that the killmails mention; an older one of that name goes.
    pub(crate) async fn database(&self, name: &str) -> anyhow::Result<Database> {
        let admin = Connection::open(self.postgres.url()).await?;
        for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            let statement = format!("{statement} {name}");
            admin.client.batch_execute(&statement).await?;
        }
        let database = self.open(name).await?;
        let pool = &database.store.pool;
        for names in catalog::names().chunks(NAMES_PER_STATEMENT) {
            names::upsert(pool, names).await?;
        }
        ship_types::upsert(pool, &catalog::ship_types()).await?;
        systems::upsert(pool, &catalog::solar_systems()).await?;
        Ok(database)
    }

    /// A database that an earlier run has left.
    pub(crate) async fn kept(&self, name: &str) -> anyhow::Result<Option<Database>> {
        let admin = Connection::open(self.postgres.url()).await?;
        let query = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        if admin.number(&query).await? == 0 {
            return Ok(None);
        }
        self.open(name).await.map(Some)
    }

    async fn open(&self, name: &str) -> anyhow::Result<Database> {
        let all = self.postgres.url();
        let url = all.replacen("/wanderer_kills?", &format!("/{name}?"), 1);
        migrate::run(&url).await?;
        let store = Store::connect(&url, &DatabaseConfig::default()).await?;
        Ok(Database { url, store })
    }

    /// Writes everything to disk, so that no measurement pays for what was done before it.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let url = self.postgres.url();
        let superuser = url.replacen("user=wanderer_kills", "user=postgres", 1);
        let connection = Connection::open(&superuser).await?;
        connection.client.batch_execute("CHECKPOINT").await?;
        Ok(())
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.postgres.stop().await.context("stopping PostgreSQL")
    }
}

/// One database.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) store: Store,
}

impl Database {
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(&self.url).await
    }
}

/// A plain connection, beside the store.
pub(crate) struct Connection {
    pub(crate) client: Client,
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    #[expect(
        clippy::disallowed_methods,
        reason = "drives a connection of this program, not of a service"
    )]
    async fn open(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self {
            client,
            _driver: AbortOnDropHandle::new(driver),
        })
    }

    /// The one number that a query answers.
    pub(crate) async fn number(&self, query: &str) -> anyhow::Result<i64> {
        Ok(self.client.query_one(query, &[]).await?.try_get(0)?)
    }
}
