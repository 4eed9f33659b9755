//! Logs and metrics. Facts are structs: `emit()` writes the log line and the metric, names come from one enum.

pub mod exposition;
pub mod logs;
pub mod metric;
pub mod traces;
