//! A clock that jumps, for one process: Debian's `libfaketime`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::binary::ServiceCommand;

/// Where distributions put the library.
const LIBRARIES: [&str; 2] = ["/usr/lib", "/usr/lib64"];
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The library, and the file that tells it what time it is.
#[derive(Debug)]
pub(super) struct FakeClock {
    library: PathBuf,
    file: PathBuf,
}

impl FakeClock {
    /// `None` where the library is not installed.
    pub(super) fn find(folder: &Path) -> Option<Self> {
        let library = LIBRARIES
            .iter()
            .find_map(|place| installed(place.as_ref()))?;
        let clock = Self {
            library,
            file: folder.join("clock"),
        };
        clock.set(0);
        Some(clock)
    }

    /// A process whose time of day is this clock's; its monotonic time is the machine's.
    pub(super) fn apply(&self, command: ServiceCommand) -> ServiceCommand {
        command
            .env("LD_PRELOAD", self.library.display())
            .env("FAKETIME_TIMESTAMP_FILE", self.file.display())
            .env("FAKETIME_CACHE_DURATION", 1)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", 1)
            .env("DONT_FAKE_MONOTONIC", 1)
            .env("NO_FAKE_STAT", 1)
    }

    /// From now on it is so many seconds wrong.
    pub(super) fn set(&self, seconds: i64) {
        let whole = self.file.with_extension("new");
        fs::write(&whole, format!("{seconds:+}\n")).unwrap();
        fs::rename(whole, &self.file).unwrap();
    }
}

/// The library in a folder of libraries, or in that of an architecture below it.
fn installed(place: &Path) -> Option<PathBuf> {
    let below = fs::read_dir(place).ok()?.flatten();
    let mut found = std::iter::once(place.to_owned())
        .chain(below.map(|entry| entry.path()))
        .map(|folder| folder.join(LIBRARY));
    found.find(|library| library.exists())
}
