//! What this process takes of the machine.

use std::fs;

/// Resident memory in bytes; `None` where the system does not tell (it is Linux that does).
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
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
    fn standard_streams_are_open() {
        assert!(open_files().unwrap() >= 3);
    }
}
