//! ESI, the game's own API: killmail bodies, names, types and places, within the budgets it grants.
//!
//! Every request passes the same gates (`gate.rs`): the daily downtime (`downtime.rs`), the book of budgets and
//! failures (`budget.rs`), the paces; and teaches them by its answer.

mod bisection;
mod budget;
mod client;
mod directory;
mod downtime;
mod entities;
mod events;
mod gate;
mod headers;
mod killmail;
mod names;
mod operation;
mod shared_get;
mod status;
mod universe;
mod wire;

pub use client::{EsiClient, EsiPace};
pub use directory::{EsiError, NamedId, NamesAnswer, Route};
pub use killmail::KillmailError;
pub use status::ServerStatus;
