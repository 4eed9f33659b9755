//! Rows as Parquet: one row group a day.

use std::sync::Arc;

use anyhow::Context as _;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder, make_builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::DateTime;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::target::Target;
use crate::domain::table::{Cell, Kind, Table};

/// Rows that are gathered before they are encoded: some megabytes of columns.
const BATCH_ROWS: usize = 8_192;

/// The file, and the rows that are not yet encoded.
pub(super) struct ParquetFile {
    writer: ArrowWriter<Target>,
    schema: SchemaRef,
    columns: Vec<Box<dyn ArrayBuilder>>,
    rows: usize,
}

impl ParquetFile {
    pub(super) fn begin(target: Target, table: Table) -> anyhow::Result<Self> {
        let fields: Vec<Field> = (table.columns().iter())
            .map(|(name, kind)| Field::new(*name, data_type(*kind), true))
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // A day is one group, however large; it is held encoded until its end, which for the busiest days of the
            // game is tens of megabytes.
            .set_max_row_group_row_count(None)
            .build();
        let writer = ArrowWriter::try_new(target, Arc::clone(&schema), Some(properties))?;
        let columns = builders(&schema);
        Ok(Self {
            writer,
            schema,
            columns,
            rows: 0,
        })
    }

    pub(super) fn row(&mut self, row: Vec<Cell>) -> anyhow::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            append(column.as_mut(), cell)?;
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS {
            self.encode()?;
        }
        Ok(())
    }

    /// Ends the day's group; a day without rows has none.
    pub(super) fn end_day(&mut self) -> anyhow::Result<()> {
        self.encode()?;
        self.writer.flush().context("writing a row group")
    }

    pub(super) fn finish(self) -> anyhow::Result<Target> {
        self.writer.into_inner().context("writing the footer")
    }

    fn encode(&mut self) -> anyhow::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let finished = self.columns.iter_mut().map(ArrayBuilder::finish);
        let zone = |array: ArrayRef, field: &Field| -> ArrayRef {
            let times = array
                .as_any()
                .downcast_ref::<arrow_array::TimestampMicrosecondArray>();
            match times {
                Some(times) if field.data_type() == &data_type(Kind::Time) => {
                    Arc::new(times.clone().with_timezone("UTC"))
                }
                _ => array,
            }
        };
        let arrays = finished
            .zip(self.schema.fields())
            .map(|(array, field)| zone(array, field))
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        self.writer.write(&batch).context("encoding rows")
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Flag => DataType::Boolean,
        Kind::Text => DataType::Utf8,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

fn builders(schema: &Schema) -> Vec<Box<dyn ArrayBuilder>> {
    (schema.fields().iter())
        .map(|field| make_builder(field.data_type(), BATCH_ROWS))
        .collect()
}

fn append(column: &mut dyn ArrayBuilder, cell: Cell) -> anyhow::Result<()> {
    let column = column.as_any_mut();
    if let Some(column) = column.downcast_mut::<Int64Builder>() {
        column.append_option(if let Cell::Integer(number) = cell {
            Some(number)
        } else {
            nothing(&cell)?
        });
    } else if let Some(column) = column.downcast_mut::<Float64Builder>() {
        column.append_option(if let Cell::Number(number) = cell {
            Some(number)
        } else {
            nothing(&cell)?
        });
    } else if let Some(column) = column.downcast_mut::<BooleanBuilder>() {
        column.append_option(if let Cell::Flag(flag) = cell {
            Some(flag)
        } else {
            nothing(&cell)?
        });
    } else if let Some(column) = column.downcast_mut::<StringBuilder>() {
        column.append_option(if let Cell::Text(text) = cell {
            Some(text)
        } else {
            nothing(&cell)?
        });
    } else if let Some(column) = column.downcast_mut::<TimestampMicrosecondBuilder>() {
        column.append_option(if let Cell::Time(time) = cell {
            Some(microseconds(&time)?)
        } else {
            nothing(&cell)?
        });
    } else {
        anyhow::bail!("a column without a builder");
    }
    Ok(())
}

fn microseconds(time: &str) -> anyhow::Result<i64> {
    let time = DateTime::parse_from_rfc3339(time).with_context(|| format!("{time} is no time"))?;
    Ok(time.timestamp_micros())
}

/// What a column takes beside its own kind.
fn nothing<T>(cell: &Cell) -> anyhow::Result<Option<T>> {
    anyhow::ensure!(
        *cell == Cell::Absent,
        "{cell:?} in a column of another kind"
    );
    Ok(None)
}
