//! The three formats.

use std::io::{BufWriter, Write as _};

use anyhow::Context as _;

use super::parquet::ParquetFile;
use super::target::Target;
use crate::domain::table::{Cell, Table};
use crate::domain::wire;
use crate::store::killmails::StoredKillmail;

/// What is being written.
pub(super) enum Writer {
    Ndjson {
        output: BufWriter<Target>,
        with_items: bool,
    },
    Csv {
        output: Box<csv::Writer<Target>>,
        table: Table,
    },
    Parquet {
        file: Box<ParquetFile>,
        table: Table,
    },
}

impl Writer {
    pub(super) fn ndjson(target: Target, with_items: bool) -> Self {
        Self::Ndjson {
            output: BufWriter::new(target),
            with_items,
        }
    }

    /// CSV after RFC 4180, as the historical query has it.
    pub(super) fn csv(target: Target, table: Table) -> anyhow::Result<Self> {
        let mut output = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(target);
        output.write_record(table.columns().iter().map(|(name, _)| *name))?;
        Ok(Self::Csv {
            output: Box::new(output),
            table,
        })
    }

    pub(super) fn parquet(target: Target, table: Table) -> anyhow::Result<Self> {
        Ok(Self::Parquet {
            file: Box::new(ParquetFile::begin(target, table)?),
            table,
        })
    }

    /// Whether items have to be read.
    pub(super) fn needs_items(&self) -> bool {
        match self {
            Self::Ndjson { with_items, .. } => *with_items,
            Self::Csv { table, .. } | Self::Parquet { table, .. } => *table == Table::Items,
        }
    }

    /// Writes one killmail; how many rows it made.
    pub(super) fn killmail(&mut self, killmail: &StoredKillmail) -> anyhow::Result<usize> {
        let (document, items) = (killmail.document.as_str(), killmail.items.as_deref());
        let broken = || format!("killmail {} is stored broken", killmail.killmail_id);
        match self {
            Self::Ndjson { output, with_items } => {
                if *with_items {
                    let items = items.unwrap_or("[]");
                    let document = wire::with_items(document, items).with_context(broken)?;
                    output.write_all(document.as_bytes())?;
                } else {
                    output.write_all(document.as_bytes())?;
                }
                output.write_all(b"\n")?;
                Ok(1)
            }
            Self::Csv { output, table } => {
                let rows = table.rows(document, items).with_context(broken)?;
                for row in &rows {
                    let fields = row.iter().map(Cell::csv);
                    output.write_record(fields.map(|field| field.into_owned().into_bytes()))?;
                }
                Ok(rows.len())
            }
            Self::Parquet { file, table } => {
                let rows = table.rows(document, items).with_context(broken)?;
                let count = rows.len();
                for row in rows {
                    file.row(row)?;
                }
                Ok(count)
            }
        }
    }

    pub(super) fn end_day(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Ndjson { .. } | Self::Csv { .. } => Ok(()),
            Self::Parquet { file, .. } => file.end_day(),
        }
    }

    /// Writes what is left; the file has no name yet.
    pub(super) fn finish(self) -> anyhow::Result<Target> {
        match self {
            Self::Ndjson { output, .. } => match output.into_inner() {
                Ok(target) => Ok(target),
                Err(error) => Err(error.into_error()).context("writing the last lines"),
            },
            Self::Csv { output, .. } => match output.into_inner() {
                Ok(target) => Ok(target),
                Err(error) => Err(error.into_error()).context("writing the last rows"),
            },
            Self::Parquet { file, .. } => file.finish(),
        }
    }
}
