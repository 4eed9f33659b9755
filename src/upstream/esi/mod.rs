//! ESI, the game's own API: killmail bodies, within the budgets it grants.

pub mod budget;
mod client;
mod killmail;

pub use client::EsiClient;
pub use killmail::KillmailError;
