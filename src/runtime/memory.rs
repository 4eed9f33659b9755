//! What this process takes of the machine, and how much there is.

use std::fs;

/// Where a control group (version 2, as containers have) states its limit; the text "max" where it has none.
const GROUP_LIMIT: &str = "/sys/fs/cgroup/memory.max";

/// Resident memory in bytes; `None` where the system does not tell (it is Linux that does).
pub fn resident() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Bytes that all processes here may have together: the machine's memory, or the container's part of it; `None` where the
/// system does not tell (it is Linux that does).
pub fn total() -> Option<u64> {
    let machine = kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let group = fs::read_to_string(GROUP_LIMIT).ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    Some(machine.min(group.unwrap_or(u64::MAX)))
}

/// The bytes that a line `name 123 kB` of `text` tells of.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1_024)
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
    fn a_line_tells_of_kilobytes() {
        let text = "MemTotal:       24605212 kB\nMemFree:              12 kB\n";
        assert_eq!(kilobytes(text, "MemFree:"), Some(12_288));
        assert_eq!(kilobytes(text, "MemTotal:"), Some(24_605_212 * 1_024));
        assert_eq!(kilobytes(text, "VmRSS:"), None);
        assert_eq!(kilobytes("MemFree: many kB", "MemFree:"), None);
    }

    #[test]
    fn standard_streams_are_open() {
        assert!(open_files().unwrap() >= 3);
    }
}
