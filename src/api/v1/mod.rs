//! The REST interface and event streams of WandererKills, so that its clients need no change.

pub mod envelope;

pub use envelope::V1Error;
