//! Backups: the commands of `docs/backup.md`, as they stand there, and services that go on from what they made.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use wanderer_kills::simulator::{Simulator, SimulatorConfig};

use crate::support::binary::ServiceCommand;
use crate::support::following::{following, publish, stored};
use crate::support::http::KeepAlive;
use crate::support::postgres::{data_dir, empty_database};

/// Killmails published at a time.
const ROUND: usize = 30;
const PATIENCE: Duration = Duration::from_mins(1);

/// The commands below a heading of the page.
fn commands(heading: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/backup.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, below) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = below.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// PostgreSQL's client programs are on the path, or in Debian's folders.
fn path() -> String {
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    std::env::join_paths(folders)
        .unwrap()
        .into_string()
        .unwrap()
}

/// A service with killmails, and a place for copies.
struct Scene {
    simulator: Simulator,
    folder: tempfile::TempDir,
    copies: tempfile::TempDir,
    command: ServiceCommand,
}

impl Scene {
    async fn new() -> Self {
        let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
        let (folder, copies) = (data_dir(), data_dir());
        let command = following(&simulator, folder.path());
        Self {
            simulator,
            folder,
            copies,
            command,
        }
    }

    fn database_url(&self) -> String {
        let folder = self.folder.path().display();
        format!("postgres:///wanderer_kills?host={folder}/run&port=5432&user=wanderer_kills")
    }

    /// Runs commands of the page; false, with the reason printed, where a program of theirs is not installed.
    async fn run(&self, commands: &str, new_database: &str) -> bool {
        let mut shell = Command::new("sh");
        shell
            .args(["-euc", commands])
            .current_dir(self.copies.path())
            .env("PATH", path())
            .env("DATA_DIR", self.folder.path())
            .env("COPY", self.copies.path().join("copy"))
            .env("DATABASE_URL", self.database_url())
            .env("NEW_DATABASE_URL", new_database);
        let output = tokio::time::timeout(PATIENCE, shell.output())
            .await
            .unwrap()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(127) {
            println!("skipped: {said}");
            return false;
        }
        assert!(output.status.success(), "{commands}\n{said}");
        true
    }

    /// A service on the copied folder.
    fn on_the_copy(&self) -> ServiceCommand {
        following(&self.simulator, &self.copies.path().join("copy"))
    }

    /// Everything that was published is in a service's feed, each once.
    async fn is_complete(&self, address: SocketAddr) {
        let published = self.simulator.published();
        let expected: BTreeMap<i64, usize> =
            published.iter().map(|kill| (kill.killmail_id, 1)).collect();
        let mut connection = KeepAlive::open(address).await;
        let complete = async {
            loop {
                let page = connection.get("/api/killfeed?limit=1000").await.json();
                let mut found = BTreeMap::new();
                for event in page["events"].as_array().unwrap() {
                    if event["kind"] == "new" {
                        let id = event["killmail"]["killmail_id"].as_i64().unwrap();
                        *found.entry(id).or_insert(0) += 1;
                    }
                }
                assert!(found.values().all(|times| *times == 1), "{found:?}");
                if found == expected {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, complete).await.unwrap();
    }

    /// The restored service goes on: it has what was before, and gets what comes.
    async fn goes_on(&self, command: &ServiceCommand) {
        let service = command.start().await;
        self.is_complete(command.listen()).await;
        publish(&self.simulator, ROUND);
        self.is_complete(command.listen()).await;
        assert_eq!(service.terminate().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_is_restored_into_another_database() {
    let scene = Scene::new().await;
    let (dump, restore) = (&commands("A dump")[0], &commands("A dump")[1]);
    let service = scene.command.start().await;
    publish(&scene.simulator, ROUND);
    stored(scene.command.listen(), i64::try_from(ROUND).unwrap()).await;
    let database = empty_database().await;
    if !scene.run(dump, database.url()).await {
        return;
    }
    // What comes after the dump is in the upstream still.
    publish(&scene.simulator, ROUND);
    scene.is_complete(scene.command.listen()).await;
    assert_eq!(service.terminate().await, Some(0));
    assert!(scene.run(restore, database.url()).await);
    let restored =
        following(&scene.simulator, scene.copies.path()).env("DATABASE_URL", database.url());
    scene.goes_on(&restored).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_backup_of_a_running_service_starts() {
    let scene = Scene::new().await;
    let commands = commands("A base backup");
    let (copy, give) = (&commands[0], &commands[1]);
    let service = scene.command.start().await;
    publish(&scene.simulator, ROUND);
    stored(scene.command.listen(), i64::try_from(ROUND).unwrap()).await;
    publish(&scene.simulator, ROUND);
    if !scene.run(copy, "").await {
        return;
    }
    if nix::unistd::geteuid().is_root() {
        assert!(scene.run(give, "").await);
    }
    service.kill().await;
    scene.goes_on(&scene.on_the_copy()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_stopped_folder_starts() {
    let scene = Scene::new().await;
    let service = scene.command.start().await;
    publish(&scene.simulator, ROUND);
    scene.is_complete(scene.command.listen()).await;
    assert_eq!(service.terminate().await, Some(0));
    assert!(scene.run(&commands("A copy of the folder")[0], "").await);
    scene.goes_on(&scene.on_the_copy()).await;
}
