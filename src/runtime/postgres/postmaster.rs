//! The server's main process: started, read, waited for and stopped.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

use super::Error;

/// For a fast shutdown, which writes what is in memory to disk.
const FAST_SHUTDOWN_LIMIT: Duration = Duration::from_secs(30);
/// For an immediate shutdown, which writes nothing.
const IMMEDIATE_SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);
/// Messages kept for the error when a start fails.
const KEPT_MESSAGES: usize = 20;

/// A started postmaster. Its messages go to our log.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    pid: i32,
    messages: Arc<Mutex<VecDeque<String>>>,
}

impl Postmaster {
    /// Starts the server. To be called on the keeper's thread: the server stops when the thread ends.
    pub(super) fn spawn(mut command: Command) -> Result<Self, Error> {
        let program = std::path::PathBuf::from(command.get_program());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal reaches us alone, and we decide when the server stops.
            .process_group(0);
        stop_with_parent(&mut command);
        // The standard library's own child would be reaped nowhere while we wait asynchronously.
        let mut command = tokio::process::Command::from(command);
        let mut child = command.spawn().map_err(Error::io("run", &program))?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .ok_or(Error::KeeperGone)?;
        let messages = Arc::new(Mutex::new(VecDeque::with_capacity(KEPT_MESSAGES)));
        if let Some(stderr) = child.stderr.take() {
            let stderr = stderr
                .into_owned_fd()
                .map_err(Error::io("read the messages of", &program))?;
            follow(stderr, Arc::clone(&messages), &program)?;
        }
        Ok(Self {
            child,
            pid,
            messages,
        })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until the process has ended. Cancel-safe.
    pub(super) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// The error for a server that ended with `status` while it was to start.
    pub(super) fn exited(&self, status: &std::io::Result<ExitStatus>) -> Error {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        Error::Exited {
            status: match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            output: messages.iter().cloned().collect::<Vec<_>>().join(" | "),
        }
    }

    /// Fast shutdown, then an immediate one, then by force (committed data survives all three).
    pub(super) async fn stop(mut self) -> Result<(), Error> {
        let steps = [
            (Signal::SIGINT, FAST_SHUTDOWN_LIMIT),
            (Signal::SIGQUIT, IMMEDIATE_SHUTDOWN_LIMIT),
            (Signal::SIGKILL, IMMEDIATE_SHUTDOWN_LIMIT),
        ];
        for (signal, limit) in steps {
            if let Err(error) = kill(Pid::from_raw(self.pid), signal) {
                tracing::debug!(%error, %signal, "the server has gone already");
            }
            if tokio::time::timeout(limit, self.child.wait()).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(%signal, limit = ?limit, "the embedded PostgreSQL did not stop in time");
        }
        Err(Error::Timeout {
            operation: "stopping the embedded PostgreSQL",
            limit: IMMEDIATE_SHUTDOWN_LIMIT,
        })
    }
}

/// Lets the kernel ask the server for a fast shutdown when our thread, and so our process, ends.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "pre_exec runs between fork and exec, where only async-signal-safe calls are allowed: \
              prctl and getppid are system calls without locks or allocation"
)]
fn stop_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let ask = move || {
        nix::sys::prctl::set_pdeathsig(Signal::SIGINT)?;
        // The parent may have ended before the request was made.
        if nix::unistd::getppid() == parent {
            Ok(())
        } else {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: the closure captures one integer by value and makes two system calls, see the reason above; the
    // error values it builds do not allocate.
    unsafe {
        command.pre_exec(ask);
    }
}

#[cfg(not(target_os = "linux"))]
fn stop_with_parent(_command: &mut Command) {}

/// Reads the server's messages for as long as anyone can write them; a full pipe would block the server.
fn follow(
    stderr: std::os::fd::OwnedFd,
    messages: Arc<Mutex<VecDeque<String>>>,
    program: &std::path::Path,
) -> Result<(), Error> {
    let read = move || {
        let lines = BufReader::new(std::fs::File::from(stderr)).split(b'\n');
        for line in lines.map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if line.contains("PANIC:") {
                tracing::error!(target: "postgres", "{line}");
            } else {
                tracing::debug!(target: "postgres", "{line}");
            }
            let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
            if messages.len() == KEPT_MESSAGES {
                messages.pop_front();
            }
            messages.push_back(line);
        }
    };
    std::thread::Builder::new()
        .name("postgres-messages".to_owned())
        .spawn(read)
        .map(drop)
        .map_err(Error::io("read the messages of", program))
}
