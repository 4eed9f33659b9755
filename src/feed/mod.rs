//! The log, read: one tail per process, a ring in memory, and readers that are a cursor and a filter.
//!
//! ```text
//!  store::feed ──page──► tail ──append──► hub ── ring  (newest events, shared)
//!   NOTIFY / timer ────────┘               │  └─ index (which narrow readers an event concerns)
//!                                          ▼
//!                            readers: from the ring, or by pages from the database
//! ```

pub mod error;
pub mod event;
mod events;
mod hub;
mod index;
mod key;
mod listener;
mod log;
mod prune;
pub mod reader;
mod ring;
mod scan;
mod status;
mod stream;
pub mod tail;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod webhooks;

pub use error::{Error, Result};
pub use event::{Encoding, FeedEvent};
pub use reader::{Batch, Reader};
pub use status::Status;
pub use tail::Feed;
