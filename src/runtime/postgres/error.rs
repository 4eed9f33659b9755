use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the embedded server is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No PostgreSQL programs were found.
    #[error("no PostgreSQL programs found: {hint}")]
    NoBinaries {
        /// What to install.
        hint: String,
    },
    /// The data folder was made by another major version than the installed ones.
    #[error(
        "{} belongs to PostgreSQL {wanted}, but installed is PostgreSQL {installed}: \
         install PostgreSQL {wanted}, or move the data with pg_upgrade or pg_dump",
        .folder.display()
    )]
    WrongMajor {
        /// The server's data folder.
        folder: PathBuf,
        /// The major version that the folder demands.
        wanted: u32,
        /// The major versions at hand, as a list for people.
        installed: String,
    },
    /// The unprivileged account of the server cannot get to a folder.
    #[error(
        "the user `{user}`, who runs the server because PostgreSQL refuses to run as root, may not enter {}: \
         choose another folder with WK_DATA_DIR, for example /var/lib/wanderer-kills",
        .folder.display()
    )]
    Unreachable {
        /// The account.
        user: String,
        /// The first folder on the way that it may not enter.
        folder: PathBuf,
    },
    /// We are root and there is no account to run the server with.
    #[error(
        "PostgreSQL refuses to run as root, and neither `postgres` nor `nobody` is a user here"
    )]
    NoAccount,
    /// The socket's folder exists and is not ours alone.
    #[error("{} exists and is not a private folder of user {uid}", .folder.display())]
    UnsafeFolder {
        /// The folder.
        folder: PathBuf,
        /// Who has to own it.
        uid: u32,
    },
    /// The file system refused.
    #[error("cannot {operation} {}", .path.display())]
    Io {
        /// What we tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The refusal.
        #[source]
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb could not make {}: {output}", .folder.display())]
    Initdb {
        /// The folder it was to make.
        folder: PathBuf,
        /// What it printed.
        output: String,
    },
    /// The server ended instead of accepting connections.
    #[error("PostgreSQL ended while starting ({status}): {output}")]
    Exited {
        /// How it ended.
        status: String,
        /// Its last messages.
        output: String,
    },
    /// Something took longer than its limit.
    #[error("{operation} took longer than {} s", .limit.as_secs())]
    Timeout {
        /// What took too long.
        operation: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The running server refused what we asked.
    #[error("the embedded PostgreSQL refused to {operation}")]
    Query {
        /// What we asked for.
        operation: &'static str,
        /// Its answer.
        #[source]
        source: sqlx::Error,
    },
    /// The thread that keeps the server has ended.
    #[error("the keeper of the embedded PostgreSQL has ended")]
    KeeperGone,
}

impl Error {
    /// For `map_err` on file operations.
    pub(super) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            operation,
            path,
            source,
        }
    }
}
