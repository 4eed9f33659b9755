//! A streaming replica, as `pg_basebackup` makes one.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use wanderer_kills::runtime::postgres::EmbeddedPostgres;

use super::app::PATIENCE;
use super::postgres::{data_dir, execute, text};

/// A second server that follows the first. Killed when dropped.
pub(crate) struct Standby {
    folder: TempDir,
    programs: PathBuf,
    owner: (u32, u32),
    url: String,
    superuser_url: String,
    server: Option<Child>,
}

impl Standby {
    /// Copies the primary, whose data lie in `primary_dir`, and starts the copy.
    pub(crate) async fn of(primary: &EmbeddedPostgres, primary_dir: &Path) -> Self {
        let pid = primary.server_pid().unwrap();
        let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
        let owner = fs::metadata(primary_dir.join("postgres")).unwrap();
        let folder = data_dir();
        chown(folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let url = with_host(primary.url(), folder.path());
        let mut standby = Self {
            programs: program.parent().unwrap().to_owned(),
            owner: (owner.uid(), owner.gid()),
            superuser_url: url.replacen("/wanderer_kills?", "/postgres?", 1).replacen(
                "user=wanderer_kills",
                "user=postgres",
                1,
            ),
            url,
            folder,
            server: None,
        };
        let source = primary
            .url()
            .replacen("/wanderer_kills?", "/postgres?", 1)
            .replacen("user=wanderer_kills", "user=postgres", 1);
        let copied = standby
            .program("pg_basebackup")
            .args(["--write-recovery-conf", "--checkpoint=fast", "--pgdata"])
            .arg(standby.data())
            .args(["--dbname", &source])
            .status()
            .await
            .unwrap();
        assert!(copied.success());
        standby.start().await;
        standby
    }

    /// URL of the service's database on it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        fs::set_permissions(self.data(), fs::Permissions::from_mode(0o700)).unwrap();
        let server = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-c", "listen_addresses="])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let answers = async {
            while text(&self.url, "SELECT 'up'").await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.unwrap();
    }

    /// Ends it at once.
    pub(crate) async fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().await.unwrap();
    }

    /// Waits until it has a killmail.
    pub(crate) async fn reaches(&self, killmail_id: i64) {
        let query =
            format!("SELECT count(*)::text FROM killmails WHERE killmail_id = {killmail_id}");
        let there = async {
            while text(&self.url, &query).await.unwrap() != "1" {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap();
    }

    /// What arrives is kept, but not applied.
    pub(crate) async fn pause(&self) {
        execute(&self.superuser_url, "SELECT pg_wal_replay_pause()")
            .await
            .unwrap();
        let paused = async {
            let state = "SELECT pg_get_wal_replay_pause_state()";
            while text(&self.superuser_url, state).await.unwrap() != "paused" {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, paused).await.unwrap();
    }

    /// Goes on from where it was paused.
    pub(crate) async fn resume(&self) {
        execute(&self.superuser_url, "SELECT pg_wal_replay_resume()")
            .await
            .unwrap();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("postgres")
    }

    /// One of the primary's programs, run by the account that owns the primary's data.
    fn program(&self, name: &str) -> Command {
        let mut command = std::process::Command::new(self.programs.join(name));
        let (uid, gid) = self.owner;
        if nix::unistd::geteuid().is_root() {
            command.uid(uid).gid(gid);
        }
        command.current_dir(self.folder.path());
        Command::from(command)
    }
}

/// The same URL with the socket in another folder.
fn with_host(url: &str, folder: &Path) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let others: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(key, _)| key != "host")
        .collect();
    url.query_pairs_mut()
        .clear()
        .append_pair("host", folder.to_str().unwrap())
        .extend_pairs(others);
    url.into()
}
