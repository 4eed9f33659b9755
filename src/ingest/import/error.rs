use std::path::PathBuf;

use crate::upstream::everef::archive::ArchiveError;

/// Why a file was not read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file can't be opened, read or decompressed.
    #[error("can't read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is an archive and damaged.
    #[error("can't read the archive {path}", path = path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// How far it got.
        #[source]
        source: ArchiveError,
    },
    /// The text ends inside a document, a list or an object. What came of it went into the pipeline.
    #[error("{path} is cut off in line {line}", path = path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The last line.
        line: u64,
    },
    /// It was asked to stop. What came before went into the pipeline.
    #[error("stopped while {path} was read", path = path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
    /// The pipeline has stopped; nothing more can be stored.
    #[error("the pipeline stopped while {path} was imported", path = path.display())]
    PipelineStopped {
        /// The file.
        path: PathBuf,
    },
}
