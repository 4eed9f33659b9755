use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::runtime::config::DatabaseConfig;
use crate::runtime::postgres::{EmbeddedPostgres, Settings};
use crate::store::{Store, migrate};

/// An open, migrated database: the one of `DATABASE_URL`, or the embedded server.
#[derive(Debug)]
pub struct Database {
    /// Its pools.
    pub store: Store,
    embedded: Option<EmbeddedPostgres>,
    data_dir: Option<PathBuf>,
}

impl Database {
    /// Opens the database, starting (or joining) the embedded server where no URL is given, and migrates it.
    ///
    /// # Errors
    /// When it can't be reached, started or migrated.
    pub async fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        let (url, embedded) = if let Some(url) = &config.database_url {
            (url.expose_secret().to_owned(), None)
        } else {
            let settings = Settings {
                bin_dir: config.pg_bin_dir.clone(),
                ..Settings::new(config.data_dir())
            };
            let embedded = EmbeddedPostgres::start(settings)
                .await
                .context("starting the embedded PostgreSQL")?;
            (embedded.url().to_owned(), Some(embedded))
        };
        migrate::run(&url).await.context("migrating the database")?;
        let store = Store::connect(&url, config)
            .await
            .context("connecting to the database")?;
        let data_dir = embedded.is_some().then(|| config.data_dir());
        Ok(Self {
            store,
            embedded,
            data_dir,
        })
    }

    /// The URL of the primary, which may hold a password.
    pub fn url(&self) -> &str {
        self.store.url.expose_secret()
    }

    /// The folder of the embedded database; `None` where a URL was given.
    pub fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// The `psql` command line that opens the embedded database; `None` where a URL was given.
    pub fn psql_command(&self) -> Option<String> {
        self.embedded.as_ref().map(EmbeddedPostgres::psql_command)
    }

    /// Closes the pools and stops an embedded server that this process owns.
    ///
    /// # Errors
    /// When the server does not stop.
    pub async fn close(self) -> anyhow::Result<()> {
        self.store.pool.close().await;
        self.store.reads.close().await;
        match self.embedded {
            Some(embedded) => embedded
                .stop()
                .await
                .context("stopping the embedded PostgreSQL"),
            None => Ok(()),
        }
    }
}
