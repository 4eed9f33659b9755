//! The real binary as a child process.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

/// How long a start (with recovery of the database) may take before the test gives up.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Where nobody listens: no test asks a server on the internet.
const NOBODY: &str = "http://127.0.0.1:9/";

/// A way to start the same service again and again: same folder, same port, same upstream.
#[derive(Debug, Clone)]
pub(crate) struct ServiceCommand {
    data_dir: PathBuf,
    listen: SocketAddr,
    environment: Vec<(String, String)>,
    log: Option<PathBuf>,
}

/// A started service. Killed when dropped.
#[derive(Debug)]
pub(crate) struct ServiceProcess {
    child: Child,
    listen: SocketAddr,
}

impl ServiceCommand {
    /// A service on a free port, with a private database in `data_dir`.
    pub(crate) fn new(data_dir: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Self {
            data_dir: data_dir.to_owned(),
            listen: free,
            environment: Vec::new(),
            log: None,
        }
    }

    /// Its log goes to the end of this file instead of the test's own.
    pub(crate) fn log_to(mut self, file: &Path) -> Self {
        self.log = Some(file.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Starts `serve` and returns once it answers.
    pub(crate) async fn start(&self) -> ServiceProcess {
        let mut process = self.spawn();
        process.wait_until_up().await;
        process
    }

    /// Starts `serve` without waiting.
    pub(crate) fn spawn(&self) -> ServiceProcess {
        let mut command = self.command(env!("CARGO_BIN_EXE_wanderer-kills"));
        command.arg("serve");
        self.spawned(command)
    }

    /// Starts `serve` with so few file descriptors, and returns once it answers.
    pub(crate) async fn start_with_descriptors(&self, descriptors: u32) -> ServiceProcess {
        let program = env!("CARGO_BIN_EXE_wanderer-kills");
        let mut command = self.command("sh");
        command.args([
            "-c",
            &format!("ulimit -n {descriptors} && exec {program} serve"),
        ]);
        let mut process = self.spawned(command);
        process.wait_until_up().await;
        process
    }

    /// Runs another subcommand on the same database to its end, without a contact.
    pub(crate) async fn run(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_wanderer-kills"));
        command
            .args(arguments)
            .env_remove("WK_CONTACT")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        tokio::time::timeout(START_LIMIT, command.output())
            .await
            .unwrap()
            .unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove("DATABASE_URL")
            .env("WK_DATA_DIR", &self.data_dir)
            .env("WK_LISTEN", self.listen.to_string())
            .env("WK_LOG", "warn")
            .env("WK_CONTACT", "tests@example.org")
            .stdout(Stdio::null())
            .stderr(self.log())
            .kill_on_drop(true);
        for url in [
            "WK_ESI_URL",
            "WK_ZKB_URL",
            "WK_EVEREF_URL",
            "WK_SHIP_TYPES_URL",
        ] {
            command.env(url, NOBODY);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    fn log(&self) -> Stdio {
        let Some(file) = &self.log else {
            return Stdio::inherit();
        };
        let opened = std::fs::File::options()
            .append(true)
            .create(true)
            .open(file);
        opened.unwrap().into()
    }

    fn spawned(&self, mut command: Command) -> ServiceProcess {
        ServiceProcess {
            child: command.spawn().unwrap(),
            listen: self.listen,
        }
    }
}

impl ServiceProcess {
    pub(crate) async fn wait_until_up(&mut self) {
        let up = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    panic!("the service ended while it started: {status}");
                }
                if super::http::get(self.listen, "/ping")
                    .await
                    .is_ok_and(|got| got.status == 200)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(START_LIMIT, up)
            .await
            .expect("the service came up");
    }

    /// SIGKILL: no chance to clean up.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; returns the exit code once it has drained.
    pub(crate) async fn terminate(self) -> Option<i32> {
        self.ask_to_stop();
        self.ended().await
    }

    /// SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        let pid = i32::try_from(self.pid()).unwrap();
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
    }

    /// Its exit code, once it has ended.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        self.exits().await.code()
    }

    /// How it ended, once it has.
    pub(crate) async fn exits(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }

    /// Memory that it occupies, KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        line.and_then(|line| line.split_whitespace().nth(1))
            .unwrap()
            .parse()
            .unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }
}
