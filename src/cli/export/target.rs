//! Where an export goes: a file that appears when it is complete, or standard output.

use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

/// Means standard output.
const STDOUT: &str = "-";

/// What is written to.
pub(super) struct Target {
    place: Place,
    bytes: u64,
}

enum Place {
    /// Removed unless it gets its name.
    File(NamedTempFile, PathBuf),
    Stdout(Stdout),
}

impl Target {
    /// Opens a file beside `path`, so that giving it its name is one step; nothing that a crash leaves has that name.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let place = if path == Path::new(STDOUT) {
            Place::Stdout(io::stdout())
        } else {
            let name = path.file_name().context("--output names no file")?;
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let file = tempfile::Builder::new()
                .prefix(&format!(".{}.", name.to_string_lossy()))
                .suffix(".partial")
                .permissions(permissions())
                .tempfile_in(folder.unwrap_or(Path::new(".")))
                .with_context(|| format!("can't write beside {}", path.display()))?;
            Place::File(file, path.to_owned())
        };
        Ok(Self { place, bytes: 0 })
    }

    /// True for standard output, which holds nothing else then.
    pub(super) fn is_stdout(path: &Path) -> bool {
        path == Path::new(STDOUT)
    }

    /// Brings it to the disk and gives it its name; how many bytes it has.
    pub(super) fn complete(self) -> anyhow::Result<u64> {
        match self.place {
            Place::File(file, path) => {
                file.as_file().sync_all().context("writing to the disk")?;
                file.persist(&path)
                    .with_context(|| format!("can't give {} its name", path.display()))?;
            }
            Place::Stdout(mut output) => output.flush().context("writing")?,
        }
        Ok(self.bytes)
    }
}

/// As any program makes files: what the user's mask leaves of it.
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o666)
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.place {
            Place::File(file, _) => file.write(bytes)?,
            Place::Stdout(output) => output.write(bytes)?,
        };
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::File(file, _) => file.flush(),
            Place::Stdout(output) => output.flush(),
        }
    }
}
