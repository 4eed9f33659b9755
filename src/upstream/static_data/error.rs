use std::fmt;

use crate::upstream::http;

/// Longest part of a cell or document that is shown in a sentence.
const EXCERPT_CHARACTERS: usize = 60;

/// Why there is no static data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is not what it has to be. Asking for the same file again changes nothing.
    #[error("{file}{}: {why}", Line(*line))]
    Refused {
        /// Its name.
        file: String,
        /// The line, from 1, where one is to blame.
        line: Option<u64>,
        /// What is wrong with it.
        why: String,
    },
    /// A file can't be opened.
    #[error("{file} can't be read")]
    Read {
        /// Its name.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A download can't be kept.
    #[error("a download can't be kept in a temporary file")]
    Keep {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The origin did not answer as it should.
    #[error("the server of static data failed")]
    Fetch {
        /// How.
        #[from]
        source: http::Error,
    },
    /// The origin has neither of the known layouts.
    #[error("{origin} has no static data: none of {asked} is there")]
    Nothing {
        /// The origin's URL.
        origin: String,
        /// What was asked for.
        asked: String,
    },
    /// The task that reads files panicked.
    #[error("reading static data broke off")]
    Broken {
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
}

/// `, line 7` or nothing.
struct Line(Option<u64>);

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |line| write!(formatter, ", line {line}"))
    }
}

impl Error {
    /// A file that is refused.
    pub(super) fn refused(
        file: impl Into<String>,
        line: impl Into<Option<u64>>,
        why: impl Into<String>,
    ) -> Self {
        Self::Refused {
            file: file.into(),
            line: line.into(),
            why: why.into(),
        }
    }

    /// A file that breaks off: cut, or damaged in a way that its compression notices.
    pub(super) fn cut_off(
        file: &str,
        line: impl Into<Option<u64>>,
        error: &std::io::Error,
    ) -> Self {
        let why = format!("the file is cut off or damaged ({error})");
        Self::refused(file, line, why)
    }

    /// True where the same may work later, with the same files at the origin.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fetch { .. } | Self::Keep { .. } => true,
            Self::Refused { .. }
            | Self::Read { .. }
            | Self::Nothing { .. }
            | Self::Broken { .. } => false,
        }
    }
}

/// The beginning of a text, quoted, on one line.
pub(super) fn excerpt(text: &str) -> String {
    let mut head: String = text.chars().take(EXCERPT_CHARACTERS).collect();
    if head.len() < text.len() {
        head.push('…');
    }
    format!("{head:?}")
}

/// The result of reading static data.
pub type Result<T, E = Error> = std::result::Result<T, E>;
