//! All SQL. One file per aggregate; functions take a connection or pool, and transactions belong to callers.

pub mod active_systems;
pub mod analysts;
pub mod api_tokens;
pub mod backfill_days;
pub mod backfill_jobs;
pub mod cursors;
pub mod day_checks;
pub mod dead_letters;
pub mod document;
/// What went wrong in the store.
pub mod error;
pub mod feed;
pub mod gaps;
pub mod health;
pub mod history_wishes;
pub mod items;
pub mod killfeed_clients;
pub mod killmails;
pub mod leader;
pub mod loading;
pub mod migrate;
pub mod names;
pub mod partitions;
/// The pools.
pub mod pool;
pub mod queues;
pub mod reads;
pub mod reconcile_runs;
pub mod reference_data;
pub mod retention;
pub mod ship_types;
pub mod stats;
pub mod subscriptions;
pub mod systems;
mod text;
pub mod unresolved;
pub mod values;
pub mod webhook_deliveries;

pub use error::{Error, Result};
pub use pool::Store;
