//! Raw → stored: processor, enricher and committer, each one stage, one file, one task.

pub mod backfill;
mod batch;
pub mod committer;
pub mod dead_letter;
pub mod enricher;
pub mod envelope;
mod error;
mod events;
#[cfg(test)]
mod fixtures;
pub mod import;
pub mod live;
pub mod pipeline;
mod plan;
pub mod preloader;
pub mod processor;
pub mod reconcile;
pub mod reference_data;
pub mod resolver;
pub mod retention;
mod retry;
mod stage;
pub mod statistics;
mod transaction;
pub mod upkeep;

pub use envelope::{Announce, CursorMove, Envelope, Outcome, Payload};
pub use error::Error;
pub use pipeline::{Fence, Pipeline, PipelineInput};
