//! What a killmail is. Pure: no async, no I/O.

pub mod battle;
pub mod filter;
pub mod history;
pub mod ids;
pub mod killmail;
pub mod names;
pub mod parse;
pub mod ship_type;
pub mod signing_secret;
pub mod solar_system;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod wire;

pub use filter::{Facts, Filter, FilterError, MatchMode, Party, Role};
pub use history::{HistoryKey, HistoryKind, Span};
pub use ids::{FeedSequence, KillmailHash, KillmailHashError};
pub use killmail::{Attacker, Item, Killmail, Position, Victim, Zkb};
pub use names::{Enrichment, EntityKey, EntityKind, EntityName};
pub use parse::{ParseError, Parsed, Reference, parse};
pub use ship_type::ShipType;
pub use signing_secret::SigningSecret;
pub use solar_system::{SecurityBand, SolarSystem};
