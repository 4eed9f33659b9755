//! Finds PostgreSQL's programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use super::Error;
use crate::runtime::config::environment;

/// The oldest major version we run on.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// What to do when nothing is installed.
const INSTALL: &str = "install them (apt-get install postgresql, dnf install postgresql-server, \
    apk add postgresql or brew install postgresql), set PG_BIN_DIR to their folder, or set DATABASE_URL";

/// Parents of `<version>/bin` or `<name>-<version>/bin` folders: Debian, Red Hat, Homebrew on ARM, Intel and Linux.
const INSTALL_ROOTS: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@"),
];

/// A folder with `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    /// The folder.
    pub(super) folder: PathBuf,
    /// Their major version.
    pub(super) major: u32,
}

impl Binaries {
    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Chooses the programs for a data folder.
///
/// `wanted` is the major version that existing data demands. `None` is the answer when nothing at all is
/// installed and none was named by the operator, so that it may be downloaded.
pub(super) fn choose(
    named: Option<&Path>,
    downloads: &Path,
    data: &Path,
    wanted: Option<u32>,
) -> Result<Option<Binaries>, Error> {
    let found: Vec<Binaries> = match named {
        Some(folder) => vec![inspect(folder).ok_or_else(|| Error::NoBinaries {
            hint: format!("{} has no working initdb and postgres", folder.display()),
        })?],
        None => places(downloads)
            .iter()
            .filter_map(|folder| inspect(folder))
            .collect(),
    };
    pick(found, data, wanted)
}

/// What the operator is told when nothing is installed and `reason` prevented the download.
pub(super) fn nothing_installed(reason: &str) -> Error {
    Error::NoBinaries {
        hint: format!("{INSTALL} (download failed: {reason})"),
    }
}

fn pick(found: Vec<Binaries>, data: &Path, wanted: Option<u32>) -> Result<Option<Binaries>, Error> {
    if found.is_empty() {
        return Ok(None);
    }
    let installed = majors(&found);
    let fits = |binaries: &Binaries| match wanted {
        Some(major) => binaries.major == major,
        None => binaries.major >= OLDEST_MAJOR,
    };
    match (found.into_iter().find(fits), wanted) {
        (Some(binaries), _) => Ok(Some(binaries)),
        (None, Some(wanted)) => Err(Error::WrongMajor {
            folder: data.to_path_buf(),
            wanted,
            installed,
        }),
        (None, None) => Err(Error::NoBinaries {
            hint: format!("PostgreSQL {OLDEST_MAJOR} or newer is needed, installed is {installed}"),
        }),
    }
}

fn majors(found: &[Binaries]) -> String {
    let mut majors: Vec<u32> = found.iter().map(|binaries| binaries.major).collect();
    majors.sort_unstable();
    majors.dedup();
    let majors: Vec<String> = majors.iter().map(u32::to_string).collect();
    majors.join(" and ")
}

/// Every folder worth a look, best first.
fn places(downloads: &Path) -> Vec<PathBuf> {
    let mut places = environment::program_folders();
    places.extend(bindir_of_pg_config());
    for (parent, prefix) in INSTALL_ROOTS {
        places.extend(versioned(Path::new(parent), prefix));
    }
    places.extend(versioned(downloads, "postgresql-"));
    places
}

fn bindir_of_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|folder| folder.is_absolute())
}

/// `<parent>/<prefix><version>/bin`, newest version first.
fn versioned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let version = leading_number(name.to_str()?.strip_prefix(prefix)?)?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// The folder as programs when both are there and say their version.
fn inspect(folder: &Path) -> Option<Binaries> {
    let folder = real_folder(folder).ok()?;
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { folder, major })
}

// A folder of links (/usr/local/bin) leads to the installation; the programs look for their files next to them.
fn real_folder(folder: &Path) -> io::Result<PathBuf> {
    let server = fs::canonicalize(folder.join("postgres"))?;
    if let Some(real) = server.parent()
        && real.join("initdb").is_file()
    {
        return Ok(real.to_path_buf());
    }
    fs::metadata(folder.join("initdb")).map(|_| folder.to_path_buf())
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0)`.
fn major_of(version_line: &str) -> Option<u32> {
    let (_, version) = version_line.split_once("(PostgreSQL)")?;
    leading_number(version.trim_start())
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(majors: &[u32]) -> Vec<Binaries> {
        majors
            .iter()
            .map(|&major| Binaries {
                folder: PathBuf::from(format!("/pg/{major}/bin")),
                major,
            })
            .collect()
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("mysqld 8"), None);
    }

    #[test]
    fn existing_data_demands_its_major() {
        let chosen = pick(binaries(&[17, 15]), Path::new("/d"), Some(15))
            .unwrap()
            .unwrap();
        assert_eq!(chosen.major, 15);
        let refusal = pick(binaries(&[17, 16]), Path::new("/d"), Some(15)).unwrap_err();
        assert!(
            refusal
                .to_string()
                .starts_with("/d belongs to PostgreSQL 15, but installed is PostgreSQL 16 and 17:"),
            "{refusal}"
        );
    }

    #[test]
    fn a_new_folder_takes_the_first_that_is_new_enough() {
        let chosen = pick(binaries(&[13, 16, 17]), Path::new("/d"), None)
            .unwrap()
            .unwrap();
        assert_eq!(chosen.major, 16);
        let refusal = pick(binaries(&[13]), Path::new("/d"), None).unwrap_err();
        assert!(
            refusal
                .to_string()
                .contains("15 or newer is needed, installed is 13")
        );
    }

    #[test]
    fn nothing_installed_names_what_to_install() {
        assert_eq!(pick(Vec::new(), Path::new("/d"), Some(15)).unwrap(), None);
        let sentence = nothing_installed("no network").to_string();
        assert!(
            sentence.contains("apt-get install postgresql"),
            "{sentence}"
        );
        assert!(!sentence.contains('\n'));
    }

    #[test]
    fn newest_folder_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pgsql-9.6", "pgsql-16", "pgsql-15", "other"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found = versioned(parent.path(), "pgsql-");
        let expected: Vec<PathBuf> = ["pgsql-16/bin", "pgsql-15/bin", "pgsql-9.6/bin"]
            .iter()
            .map(|name| parent.path().join(name))
            .collect();
        assert_eq!(found, expected);
    }
}
