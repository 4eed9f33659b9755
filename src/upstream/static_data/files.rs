//! Reads files and folders of static data.

use std::fs::File;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Error, Result, excerpt};
use super::kind::Kind;
use super::open::{Opened, open};
use super::rows::Tables;
use super::{ReferenceData, assemble, csv_table, export, json_table};

/// The most files of a folder that are looked at: an unpacked export has about a hundred.
const MAX_FOLDER_FILES: usize = 1_000;

/// Endings of compressed files; the name before them is the table's.
const COMPRESSED: [&str; 2] = [".gz", ".bz2"];

/// Reads and joins the tables of `paths`: zips, folders of tables, single tables. Reads from disk: call it
/// where blocking is allowed.
///
/// # Errors
/// A file that can't be read, or is refused; in a folder only files that are no table are passed over.
pub fn read_files(paths: &[PathBuf]) -> Result<ReferenceData> {
    let mut tables = Tables::default();
    for path in paths {
        if path.is_dir() {
            read_folder(path, &mut tables)?;
        } else {
            read_named(path, &mut tables)?;
        }
    }
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assemble::assemble(&tables, names.join(", "), None)
}

fn read_named(path: &Path, tables: &mut Tables) -> Result<()> {
    let name = path.display().to_string();
    let file = open_file(path)?;
    must_be_known(&name, read(file, &name, tables)?)
}

fn read_folder(folder: &Path, tables: &mut Tables) -> Result<()> {
    let name = folder.display().to_string();
    let unreadable = |source| Error::Read {
        file: name.clone(),
        source,
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            paths.push(path);
        }
        if paths.len() > MAX_FOLDER_FILES {
            let why = format!("the folder has more than {MAX_FOLDER_FILES} files");
            return Err(Error::refused(name, None, why));
        }
    }
    paths.sort();
    let mut known = 0_usize;
    for path in paths {
        let file = path.display().to_string();
        if read(open_file(&path)?, &file, tables)?.is_none() {
            known += 1;
        }
    }
    if known == 0 {
        return Err(Error::refused(
            name,
            None,
            "the folder has no table of static data",
        ));
    }
    Ok(())
}

fn open_file(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::Read {
        file: path.display().to_string(),
        source,
    })
}

/// Refuses a file that is no table.
pub(super) fn must_be_known(name: &str, unknown: Option<String>) -> Result<()> {
    unknown.map_or(Ok(()), |why| Err(Error::refused(name, None, why)))
}

/// Reads one file of any kind. `Ok(Some(reason))` for a file that is no table.
pub(super) fn read(file: File, name: &str, tables: &mut Tables) -> Result<Option<String>> {
    let opened = open(file).map_err(|source| Error::Read {
        file: name.to_owned(),
        source,
    })?;
    match opened {
        Opened::Zip(file) => export::read(file, name, tables).map(|()| None),
        Opened::Plain(mut reader) => read_table(&mut reader, name, tables),
    }
}

fn read_table(
    reader: &mut Box<dyn BufRead>,
    name: &str,
    tables: &mut Tables,
) -> Result<Option<String>> {
    let head = reader
        .fill_buf()
        .map_err(|error| Error::cut_off(name, 1, &error))?;
    let file: Arc<str> = Arc::from(name);
    match head.trim_ascii_start().first() {
        None => Ok(Some("the file is empty".to_owned())),
        Some(b'<') => {
            let page = String::from_utf8_lossy(head);
            let why = format!("a web page instead of a table: {}", excerpt(page.trim()));
            Ok(Some(why))
        }
        Some(b'{') => {
            let plain = COMPRESSED
                .iter()
                .find_map(|ending| name.strip_suffix(ending))
                .unwrap_or(name);
            let Some(kind) = Kind::of_export(plain) else {
                return Ok(Some(
                    "lines of JSON under a name that no table of the export has".to_owned(),
                ));
            };
            json_table::read(kind, reader, &file, tables).map(|()| None)
        }
        Some(_) => csv_table::read(reader, &file, tables),
    }
}
