//! The embedded PostgreSQL: a private server from installed programs, socket only, in a folder of its own.
//!
//! One thread per handle (the *keeper*) does everything: it takes the folder's lock and starts the server, or,
//! where another process holds the lock, joins the running server and takes over when the lock becomes free.
//! It is a thread and not a task because Linux ties "stop when your parent dies" to the thread that started
//! the server, and because the server then does not depend on the caller's runtime.

mod account;
mod binaries;
mod bootstrap;
mod cluster;
mod download;
mod error;
mod keeper;
mod lock;
mod options;
mod postmaster;
mod remains;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use error::Error;

use cluster::Cluster;

/// How long `initdb` and a start may take unless told otherwise. `initdb` usually needs one second, but was
/// seen to need twenty on a busy disk.
const DEFAULT_START_TIMEOUT: Duration = Duration::from_mins(1);

/// Where and how the embedded server runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Holds `postgres/` (its data), `run/` (its socket) and the owner's lock.
    pub data_dir: PathBuf,
    /// Where `initdb` and `postgres` are; searched for when `None`.
    pub bin_dir: Option<PathBuf>,
    /// How long `initdb` and a start may take (default 60 s).
    pub start_timeout: Duration,
    /// Whether what is committed outlives a machine that loses its power (default `true`). A server or a process that
    /// is killed loses nothing either way. Off where nobody keeps the data, as in tests: it costs them most of their time.
    pub fsync: bool,
}

impl Settings {
    /// The usual settings for a data folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            start_timeout: DEFAULT_START_TIMEOUT,
            fsync: true,
        }
    }
}

/// A running embedded server, started by us or joined. Dropping it stops a server that we started.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    url: String,
    pid_file: PathBuf,
    stop: CancellationToken,
    ended: Option<oneshot::Receiver<Result<(), Error>>>,
}

impl EmbeddedPostgres {
    /// Starts the server of a data folder, or joins the one that runs there. Watches it from then on: a
    /// server that dies is started again, and when the process that owned a joined server goes, this one
    /// takes over.
    ///
    /// # Errors
    /// No binaries, another major version in the folder, no right to the folder, or a start that failed.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let cluster = Cluster::prepare(settings)?;
        let stop = CancellationToken::new();
        let (started_sender, started) = oneshot::channel();
        let (ended_sender, ended) = oneshot::channel();
        let embedded = Self {
            url: cluster.url(),
            pid_file: cluster.pid_file(),
            stop: stop.clone(),
            ended: Some(ended),
        };
        let lock_file = cluster.lock_file();
        std::thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keeper::run(&cluster, &stop, started_sender, ended_sender))
            .map_err(Error::io("start the keeper thread of", &lock_file))?;
        started.await.map_err(|_| Error::KeeperGone)??;
        Ok(embedded)
    }

    /// `postgres://` URL of the database `wanderer_kills`, over the socket.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The `psql` command line that opens the same database.
    pub fn psql_command(&self) -> String {
        format!("psql '{}'", self.url)
    }

    /// Stops the server if we own it: fast shutdown, waits until it has gone.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.cancel();
        match self.ended.take() {
            Some(ended) => ended.await.map_err(|_| Error::KeeperGone)?,
            None => Ok(()),
        }
    }

    /// Process id of the postmaster, for tests that kill it.
    pub fn server_pid(&self) -> Option<i32> {
        remains::PidFile::read(&self.pid_file).map(|file| file.pid)
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A path as an argument of a URL's query.
fn percent_encoded(path: &Path) -> String {
    url::form_urlencoded::byte_serialize(path.as_os_str().as_encoded_bytes())
        .map(|part| part.replace('+', "%20"))
        .collect()
}
