//! Where killmails come from: the generator, or a file of real ones.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::config::SimulatorConfig;
use super::generator::{Generator, assess};
use super::hash;
use crate::domain::{Killmail, Parsed, parse};

/// Why a simulator is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// What was asked for.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of recorded killmails can't be read.
    #[error("cannot read recorded killmails from {path}")]
    Recorded {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of recorded killmails has none.
    #[error("no killmail in {path}")]
    NothingRecorded {
        /// Which file.
        path: PathBuf,
    },
    /// The base URL can't be written.
    #[error("no URL for {address}")]
    Url {
        /// Where it listens.
        address: std::net::SocketAddr,
        /// Why not.
        source: url::ParseError,
    },
}

/// The next killmail to publish.
#[derive(Debug)]
pub(crate) enum Source {
    /// Made up as we go.
    Generated(Box<Generator>),
    /// Read from a file at the start, then over and over.
    Recorded {
        /// All of them, in the file's order.
        killmails: Vec<Killmail>,
        /// The next one's place.
        next: usize,
    },
}

/// The most killmails taken from a file: a month of the real stream would fill the memory.
const MAX_RECORDED: usize = 200_000;

impl Source {
    pub(crate) fn open(config: &SimulatorConfig) -> Result<Self, Error> {
        match &config.recorded {
            Some(path) => Self::read(path),
            None => Ok(Self::Generated(Box::new(Generator::with(
                config.seed,
                config.first_killmail_id,
                config.habits,
            )))),
        }
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Recorded {
            path: path.to_owned(),
            source,
        })?;
        let killmails: Vec<Killmail> = text
            .lines()
            .filter_map(|line| match parse(line.as_bytes()) {
                Ok(Parsed::Killmail(killmail)) => Some(complete(*killmail)),
                Ok(Parsed::Reference(_) | Parsed::Nothing) | Err(_) => None,
            })
            .take(MAX_RECORDED)
            .collect();
        if killmails.is_empty() {
            return Err(Error::NothingRecorded {
                path: path.to_owned(),
            });
        }
        Ok(Self::Recorded { killmails, next: 0 })
    }

    /// The next killmail, published at `time`. Recorded ones keep their own times.
    pub(crate) fn next(&mut self, time: DateTime<Utc>) -> Option<Killmail> {
        match self {
            Self::Generated(generator) => Some(generator.next(time).killmail),
            Self::Recorded { killmails, next } => {
                let killmail = killmails.get(*next).cloned();
                *next = (*next + 1) % killmails.len().max(1);
                killmail
            }
        }
    }
}

/// Adds what a bare ESI body lacks.
fn complete(mut killmail: Killmail) -> Killmail {
    if killmail.hash.is_none() {
        killmail.hash = hash::of(&killmail);
    }
    if killmail.zkb.is_none() {
        killmail.zkb = Some(assess(&killmail));
    }
    killmail
}
