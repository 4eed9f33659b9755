//! The options that the server runs with, over those of its configuration file.

use std::path::Path;

use super::cluster::PORT;
use crate::runtime::memory;

/// Serving needs few connections: the pool, one listener and some SQL users.
const MAX_CONNECTIONS: u32 = 100;

/// The part of the memory that the server's buffers may take, as PostgreSQL's manual advises: the system's cache of
/// files needs the most of it.
const BUFFERS_SHARE: u64 = 4;
/// The least that they take, in MB, which is PostgreSQL's own default.
const MIN_BUFFERS: u64 = 128;
/// The most, in MB: the service shares its machine with others. They are taken only as they fill.
const MAX_BUFFERS: u64 = 1024;

/// Names and values for a server whose socket lies in `socket_dir`.
pub(super) fn of(socket_dir: &Path, fsync: bool) -> Vec<(&'static str, String)> {
    // A quoted item, because a comma would separate two folders.
    let sockets = socket_dir.display().to_string().replace('"', "\"\"");
    let buffers = buffers(memory::total());
    vec![
        ("listen_addresses", String::new()),
        ("port", PORT.to_string()),
        ("unix_socket_directories", format!("\"{sockets}\"")),
        ("max_connections", MAX_CONNECTIONS.to_string()),
        ("fsync", if fsync { "on" } else { "off" }.to_owned()),
        ("full_page_writes", "on".to_owned()),
        ("synchronous_commit", "on".to_owned()),
        ("shared_buffers", format!("{buffers}MB")),
        ("max_wal_size", "2GB".to_owned()),
        ("jit", "off".to_owned()),
        ("random_page_cost", "1.1".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        ("logging_collector", "off".to_owned()),
    ]
}

/// Megabytes of buffers where there is so much memory.
fn buffers(memory: Option<u64>) -> u64 {
    let share = memory.unwrap_or_default() / BUFFERS_SHARE;
    (share >> 20).clamp(MIN_BUFFERS, MAX_BUFFERS)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::unknown(None, 128)]
    #[case::small(Some(256 << 20), 128)]
    #[case::middle(Some(2 << 30), 512)]
    #[case::large(Some(64 << 30), 1024)]
    fn buffers_grow_with_the_machine(#[case] memory: Option<u64>, #[case] megabytes: u64) {
        assert_eq!(buffers(memory), megabytes);
    }
}
