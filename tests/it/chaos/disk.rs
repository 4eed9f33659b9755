//! A small disk for the database, which can be filled.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Room for the database of the longest run beside its log, and little enough to be filled in a moment.
const MEGABYTES: u32 = 512;
/// Before the process id in the name of the mounted device.
const DEVICE: &str = "wanderer-kills-chaos-";
const FILL_AT_ONCE: usize = 1024 * 1024;

/// A mount of its own, where that is allowed; a folder otherwise. Dropping it unmounts it.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    mounted: bool,
}

impl Disk {
    pub(super) fn make(folder: &Path) -> Self {
        unmount_leftovers();
        let folder = folder.join("disk");
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={MEGABYTES}m,mode=0755"))
            .arg(format!("{DEVICE}{}", std::process::id()))
            .arg(&folder);
        let mounted = succeeds(mount);
        Self { folder, mounted }
    }

    /// Where the database's folder goes.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// False where no mount is allowed: a disk that is not ours is not filled.
    pub(super) fn can_be_filled(&self) -> bool {
        self.mounted
    }

    /// Leaves not a byte.
    pub(super) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let piece = vec![1; FILL_AT_ONCE];
        let mut size = piece.len();
        while size > 0 {
            if ballast.write_all(&piece[..size]).is_err() {
                size /= 2;
            }
        }
    }

    /// Gives the room back.
    pub(super) fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            unmount(&self.folder);
        }
    }
}

/// Mounts of test processes that were killed.
fn unmount_leftovers() {
    for line in fs::read_to_string("/proc/mounts")
        .unwrap_or_default()
        .lines()
    {
        let mut words = line.split(' ');
        let owner = words
            .next()
            .and_then(|device| device.strip_prefix(DEVICE)?.parse::<u32>().ok());
        let folder = words.next().map(Path::new);
        if let (Some(owner), Some(folder)) = (owner, folder)
            && !Path::new("/proc").join(owner.to_string()).exists()
        {
            unmount(folder);
        }
    }
}

fn unmount(folder: &Path) {
    let mut command = Command::new("umount");
    command.arg("--lazy").arg(folder);
    succeeds(command);
}

fn succeeds(mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
