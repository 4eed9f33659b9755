//! What this process takes of the machine, and how much there is.

use std::fs;
use std::path::Path;

/// Where control groups (version 2) state their limits.
const GROUPS: &str = "/sys/fs/cgroup";

/// Resident memory in bytes; `None` where the system does not tell (it is Linux that does).
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1_024)
}

/// Bytes that this process and its children may have together: the machine's memory, or what a container or a unit of
/// systemd is limited to; `None` where the system does not tell (it is Linux that does).
pub fn total() -> Option<u64> {
    let machine = machine()?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = group_limit(Path::new(GROUPS), &groups).unwrap_or(u64::MAX);
    Some(machine.min(limit))
}

/// Asked of the kernel itself: a unit of systemd may be shown no `/proc/meminfo`.
#[cfg(target_os = "linux")]
fn machine() -> Option<u64> {
    nix::sys::sysinfo::sysinfo().ok().map(|it| it.ram_total())
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Option<u64> {
    None
}

/// The lowest limit of the control group that `groups`, a process's list, names, and of those around it. A group without
/// one has the word `max`.
fn group_limit(root: &Path, groups: &str) -> Option<u64> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = root.join(group);
    let around = folder.ancestors().take_while(|it| it.starts_with(root));
    let texts = around.filter_map(|it| fs::read_to_string(it.join("memory.max")).ok());
    texts.filter_map(|it| it.trim().parse().ok()).min()
}

/// Open file descriptors; `None` where the system does not tell.
pub fn open_files() -> Option<usize> {
    // The one that lists them is among them.
    Some(
        fs::read_dir("/proc/self/fd")
            .ok()?
            .count()
            .saturating_sub(1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_takes_more_than_a_megabyte_and_less_than_a_terabyte() {
        let resident = resident().unwrap();
        assert!((1 << 20..1 << 40).contains(&resident), "{resident}");
    }

    #[test]
    fn the_machine_has_more_than_a_process_takes() {
        assert!(total().unwrap() > resident().unwrap());
    }

    #[test]
    fn a_group_has_the_limits_of_those_around_it() {
        let root = tempfile::tempdir().unwrap();
        let unit = root.path().join("system.slice/kills.service");
        fs::create_dir_all(&unit).unwrap();
        let limit = || {
            group_limit(
                root.path(),
                "1:name=systemd:/a\n0::/system.slice/kills.service\n",
            )
        };
        assert_eq!(limit(), None);
        fs::write(unit.join("memory.max"), "max\n").unwrap();
        assert_eq!(limit(), None);
        fs::write(root.path().join("system.slice/memory.max"), "4096\n").unwrap();
        fs::write(root.path().join("memory.max"), "8192\n").unwrap();
        assert_eq!(limit(), Some(4_096));
        fs::write(unit.join("memory.max"), "2048\n").unwrap();
        assert_eq!(limit(), Some(2_048));
        assert_eq!(group_limit(root.path(), "0::/\n"), Some(8_192));
        assert_eq!(group_limit(root.path(), "4:memory:/\n"), None);
    }

    #[test]
    fn standard_streams_are_open() {
        assert!(open_files().unwrap() >= 3);
    }
}
