//! The real binary over a database of its own, in the place of [`TestApp`]: the test writes what is to be served into
//! the database itself, and the feed carries it over.

use std::net::SocketAddr;

use reqwest::{Method, RequestBuilder};
use tempfile::TempDir;
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::store::Store;
use wanderer_kills::store::killmails::StorableKillmail;

use super::app::{Answer, PATIENCE, TestApp, killmail, read, storable, store_batch};
use super::binary::{ServiceCommand, ServiceProcess};
use super::postgres::{TestDatabase, database};

/// Something that answers on a socket.
pub(crate) trait Served: Sync {
    fn address(&self) -> SocketAddr;

    fn request(&self, method: Method, path: &str) -> RequestBuilder;
}

impl Served for TestApp {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
    }
}

impl Served for RealApp {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
    }
}

/// The real binary, serving what the test stores.
pub(crate) struct RealApp {
    /// The test's own way into the database.
    pub(crate) store: Store,
    process: ServiceProcess,
    command: ServiceCommand,
    client: reqwest::Client,
    _folder: TempDir,
    _database: TestDatabase,
}

impl RealApp {
    pub(crate) async fn start() -> Self {
        Self::with_env(&[]).await
    }

    /// With further variables in its environment.
    pub(crate) async fn with_env(variables: &[(&str, &str)]) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let database = database().await;
        let folder = tempfile::tempdir().unwrap();
        let mut command = ServiceCommand::new(folder.path())
            .env("DATABASE_URL", database.url())
            .env("WK_LIVE_SOURCE", "none")
            // That nobody is at the upstreams' addresses is as it should be.
            .env("WK_LOG", "error");
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let process = command.start().await;
        let store = Store::connect(database.url(), &DatabaseConfig::default())
            .await
            .unwrap();
        Self {
            store,
            process,
            command,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            _folder: folder,
            _database: database,
        }
    }

    /// Ends the process by SIGTERM; fails when it does not end in order.
    pub(crate) async fn stop(self) {
        assert_eq!(self.process.terminate().await, Some(0));
    }

    /// The same, and starts it again.
    pub(crate) async fn restart(self) -> Self {
        assert_eq!(self.process.terminate().await, Some(0));
        Self {
            process: self.command.start().await,
            ..self
        }
    }

    /// Runs another subcommand on the same database.
    pub(crate) async fn run(&self, arguments: &[&str]) -> std::process::Output {
        self.command.run(arguments).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.command.listen()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address());
        self.client.request(method, url)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path)).await
    }

    pub(crate) async fn append(&self, ids: impl IntoIterator<Item = i64>, system: i64) -> i64 {
        let batch: Vec<StorableKillmail> = ids
            .into_iter()
            .map(|id| storable(killmail(id, system)))
            .collect();
        self.append_batch(&batch).await
    }

    /// Stores killmails, puts them on the feed, and waits until the process has them. Returns the last cursor.
    pub(crate) async fn append_batch(&self, batch: &[StorableKillmail]) -> i64 {
        let last = store_batch(&self.store, batch).await.0;
        let arrived = async {
            // 409 as long as the process knows nothing of the events before.
            let path = format!("/api/killfeed?after={}&limit=1&wait=30", last - 1);
            while self.get(&path).await.status != 200 {}
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
        last
    }
}
