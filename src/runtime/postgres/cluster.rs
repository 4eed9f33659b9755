//! One data folder: its paths, its making, and the options its server runs with.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::account::{self, Account};
use super::binaries::{self, Binaries};
use super::{Error, Settings, download, options, percent_encoded};

/// Names the socket file; there is no TCP port.
pub(super) const PORT: u16 = 5432;
/// Database and role of the service.
pub(super) const SERVICE: &str = "wanderer_kills";
/// The role that `initdb` makes, used to create the service's own.
const SUPERUSER: &str = "postgres";
/// A socket's path is limited to 104 bytes on macOS and 108 on Linux, closing NUL included.
const LONGEST_SOCKET_PATH: usize = 100;
/// A data folder with everything its server needs to know.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    home: PathBuf,
    socket_dir: PathBuf,
    bin_dir: Option<PathBuf>,
    account: Account,
    /// Limit for `initdb` and for a start.
    pub(super) start_timeout: Duration,
    fsync: bool,
}

impl Cluster {
    /// Makes the folders and checks that the server's account can get there.
    pub(super) fn prepare(settings: Settings) -> Result<Self, Error> {
        let home = settings.data_dir;
        if !home.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&home)
                .map_err(Error::io("create", &home))?;
            fs::set_permissions(&home, fs::Permissions::from_mode(0o755))
                .map_err(Error::io("open up", &home))?;
        }
        let home = fs::canonicalize(&home).map_err(Error::io("find", &home))?;
        let account = Account::choose(&home.join("postgres"))?;
        account.reaches(&home)?;
        let socket_dir = socket_dir(&home, &std::env::temp_dir(), &account)?;
        Ok(Self {
            home,
            socket_dir,
            bin_dir: settings.bin_dir,
            account,
            start_timeout: settings.start_timeout,
            fsync: settings.fsync,
        })
    }

    /// The server's own folder.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("postgres")
    }

    /// Holds the process id of whoever made the socket.
    pub(super) fn socket_lock_file(&self) -> PathBuf {
        self.socket_dir.join(format!(".s.PGSQL.{PORT}.lock"))
    }

    /// The file by which the server says who and how it is.
    pub(super) fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// The file whose lock says who owns the server.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.home.join("owner.lock")
    }

    /// URL of the service's database.
    pub(super) fn url(&self) -> String {
        self.url_of(SERVICE, SERVICE)
    }

    /// URL by which the service's role and database are made.
    pub(super) fn superuser_url(&self) -> String {
        self.url_of(SUPERUSER, SUPERUSER)
    }

    // Everything is said: clients otherwise fill in from PGHOST, PGPORT and PGUSER.
    fn url_of(&self, user: &str, database: &str) -> String {
        let host = percent_encoded(&self.socket_dir);
        format!("postgres:///{database}?host={host}&port={PORT}&user={user}")
    }

    /// Finds, or downloads, the programs for this folder.
    pub(super) async fn binaries(&self) -> Result<Binaries, Error> {
        let wanted = self.major()?;
        let find = || binaries::choose(self.bin_dir.as_deref(), &self.home, &self.data(), wanted);
        let found = if let Some(found) = find()? {
            found
        } else {
            download::fetch(&self.home, wanted).await?;
            find()?.ok_or_else(|| binaries::nothing_installed("the archive holds no programs"))?
        };
        self.account.reaches(&found.folder)?;
        Ok(found)
    }

    /// The major version of the data, `None` before the first start.
    fn major(&self) -> Result<Option<u32>, Error> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| Error::Io {
                operation: "read the version in",
                path,
                source: std::io::ErrorKind::InvalidData.into(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// Makes the data folder unless it is there. It is made beside its place and then moved, so that an
    /// interrupted `initdb` leaves nothing that looks like a server.
    pub(super) async fn create(&self, binaries: &Binaries) -> Result<(), Error> {
        if self.major()?.is_some() {
            return Ok(());
        }
        let mut output = self.initdb(binaries, "C.UTF-8").await?;
        if output
            .as_ref()
            .is_some_and(|output| output.contains("locale"))
        {
            output = self.initdb(binaries, "C").await?;
        }
        match output {
            Some(output) => Err(Error::Initdb {
                folder: self.data(),
                output,
            }),
            None => fs::rename(self.unfinished(), self.data())
                .map_err(Error::io("move into place", &self.data())),
        }
    }

    fn unfinished(&self) -> PathBuf {
        self.home.join("postgres.unfinished")
    }

    /// Runs `initdb` once; `Some` is what it printed when it failed.
    async fn initdb(&self, binaries: &Binaries, locale: &str) -> Result<Option<String>, Error> {
        let folder = self.unfinished();
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Error::io("clear", &folder))?;
        }
        self.account.private_folder(&folder)?;
        let mut command = self.command(binaries, "initdb");
        command
            .args([
                "--auth-local=trust",
                "--auth-host=reject",
                "--data-checksums",
            ])
            .args(["--encoding=UTF8", "--username", SUPERUSER])
            .arg(format!("--locale={locale}"))
            .arg("--pgdata")
            .arg(&folder);
        if !self.fsync {
            command.arg("--no-sync");
        }
        let program = binaries.program("initdb");
        let output = output_of(command, self.start_timeout, "initdb", &program).await?;
        if output.status.success() {
            return Ok(None);
        }
        let mut text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if text.is_empty() {
            text = output.status.to_string();
        }
        Ok(Some(text))
    }

    /// The command that runs the server.
    pub(super) async fn server_command(&self, binaries: &Binaries) -> Result<Command, Error> {
        account_folder(&self.account, &self.socket_dir)?;
        let mut command = self.command(binaries, "postgres");
        command.arg("-D").arg(self.data());
        for (name, value) in options::of(&self.socket_dir, self.fsync) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        if self.has_lz4(binaries).await? {
            command.args(["-c", "wal_compression=lz4"]);
            command.args(["-c", "default_toast_compression=lz4"]);
        }
        Ok(command)
    }

    /// Whether the programs were built with lz4: they refuse the setting otherwise.
    async fn has_lz4(&self, binaries: &Binaries) -> Result<bool, Error> {
        let mut command = self.command(binaries, "postgres");
        command
            .args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-D"])
            .arg(self.data());
        let program = binaries.program("postgres");
        let output = output_of(command, self.start_timeout, "postgres -C", &program).await?;
        Ok(output.status.success())
    }

    fn command(&self, binaries: &Binaries, program: &str) -> Command {
        let mut command = Command::new(binaries.program(program));
        // Not in a folder that the account may not enter, and with messages that we can read.
        command
            .current_dir("/")
            .env("LC_ALL", "C")
            .env_remove("PGDATA");
        command.env_remove("PGOPTIONS").env_remove("PGPORT");
        self.account.apply(&mut command);
        command
    }
}

async fn output_of(
    command: Command,
    limit: Duration,
    operation: &'static str,
    program: &Path,
) -> Result<std::process::Output, Error> {
    let mut command = tokio::process::Command::from(command);
    command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    tokio::time::timeout(limit, command.output())
        .await
        .map_err(|_| Error::Timeout { operation, limit })?
        .map_err(Error::io("run", program))
}

/// The socket's folder: `run` beside the data, or where that path is too long a private folder below `temp`.
fn socket_dir(home: &Path, temp: &Path, account: &Account) -> Result<PathBuf, Error> {
    let beside = home.join("run");
    if socket_length(&beside) <= LONGEST_SOCKET_PATH {
        return Ok(beside);
    }
    let id = fs::metadata(home).map_err(Error::io("look at", home))?;
    let temp = fs::canonicalize(temp).map_err(Error::io("find", temp))?;
    account.reaches(&temp)?;
    // The folder's identity, so that every process that joins comes to the same name.
    let name = format!("wanderer-kills-{:x}-{:x}", id.dev(), id.ino());
    Ok(temp.join(name))
}

fn socket_length(folder: &Path) -> usize {
    folder.join(format!(".s.PGSQL.{PORT}")).as_os_str().len()
}

// The folder may lie in a place where everybody can make one of the same name first.
fn account_folder(account: &Account, folder: &Path) -> Result<(), Error> {
    if folder.symlink_metadata().is_err() {
        account.private_folder(folder)?;
    }
    if account::is_private(folder, account.uid()) {
        return Ok(());
    }
    Err(Error::UnsafeFolder {
        folder: folder.to_path_buf(),
        uid: account.uid(),
    })
}
