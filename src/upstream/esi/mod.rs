//! ESI, the game's own API: killmail bodies, names, types and places, within the budgets it grants.

pub mod budget;
mod client;
mod directory;
mod killmail;

pub use client::EsiClient;
pub use directory::{EsiError, NamedId, NamesAnswer, Route};
pub use killmail::KillmailError;
