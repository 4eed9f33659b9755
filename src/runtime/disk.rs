//! How much room a disk has.

use std::path::Path;

use nix::sys::statvfs::statvfs;

/// The room of a file system, as a program that is not root has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that can still be written.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// The room where `path` is; `None` where the system does not tell.
pub fn space(path: &Path) -> Option<Space> {
    let told = statvfs(path).ok()?;
    let unit = told.fragment_size();
    Some(Space {
        free: told.blocks_available().saturating_mul(unit),
        total: told.blocks().saturating_mul(unit),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_less_room_than_it_is_large_and_none_where_nothing_is() {
        let root = space(Path::new("/")).unwrap();
        assert!(root.free <= root.total && root.total > 0, "{root:?}");
        assert_eq!(space(Path::new("/no/such/folder")), None);
    }
}
