//! What an earlier server left: its pid file and processes that have not ended yet.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What `postmaster.pid` says. Line 1 is the process, line 8 its state (`starting`, `ready`, `stopping`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    /// The postmaster's process id.
    pub(super) pid: i32,
    /// Whether it accepts connections.
    pub(super) ready: bool,
}

impl PidFile {
    /// `None` when there is no such file, or it is only half written.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
        Some(Self { pid, ready })
    }
}

/// The server processes that still work in a data folder: a postmaster that starts or shuts down, or the
/// children of one that was killed. A postmaster has the folder among its arguments from its first moment, and
/// all of them soon have it as their current one. Empty where there is no `/proc`: there PostgreSQL's own check
/// refuses the start, which is tried again.
pub(super) fn processes_in(data: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            works_in(pid, data).then_some(pid)
        })
        .collect()
}

fn works_in(pid: i32, data: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let name = fs::read_to_string(process.join("comm"));
    if !name.is_ok_and(|name| name.starts_with("postgres")) {
        return false;
    }
    let folder = fs::read_link(process.join("cwd"));
    folder.is_ok_and(|folder| folder == data) || is_postmaster_of(&process, data)
}

/// Whether it was started with `-D data`.
fn is_postmaster_of(process: &Path, data: &Path) -> bool {
    let Ok(arguments) = fs::read(process.join("cmdline")) else {
        return false;
    };
    let mut arguments = arguments.split(|byte| *byte == 0);
    arguments.any(|argument| argument == b"-D")
        && arguments.next() == Some(data.as_os_str().as_encoded_bytes())
}

/// Asks what is left of an earlier server to end. Only for whoever owns the folder: the process that started
/// it has gone, and a postmaster that was caught in its first moment may have missed that.
pub(super) fn ask_to_end(pid: i32) {
    if let Err(error) = kill(Pid::from_raw(pid), Signal::SIGINT) {
        tracing::debug!(%error, pid, "the earlier server has gone already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_pid_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postmaster.pid");
        assert_eq!(PidFile::read(&path), None);
        fs::write(&path, "").unwrap();
        assert_eq!(PidFile::read(&path), None);
        fs::write(
            &path,
            "41\n/data\n1700000000\n5432\n/run\n\n  1 2\nstarting\n",
        )
        .unwrap();
        assert_eq!(
            PidFile::read(&path),
            Some(PidFile {
                pid: 41,
                ready: false
            })
        );
        fs::write(
            &path,
            "41\n/data\n1700000000\n5432\n/run\n\n  1 2\nready   \n",
        )
        .unwrap();
        assert_eq!(
            PidFile::read(&path),
            Some(PidFile {
                pid: 41,
                ready: true
            })
        );
    }
}
