//! R2Z2: numbered files, one killmail each, and `sequence.json`, which lags behind them.
//!
//! [`Client`] asks and classifies, [`Policy`] decides what to ask next and how long to wait before it.

mod client;
mod limits;
mod pauses;
mod policy;
#[cfg(test)]
mod policy_tests;
mod search;
mod start;
mod step;
mod stuck;

pub use client::{Client, Document};
pub use limits::PolicyLimits;
pub use policy::Policy;
pub use start::{Hole, Start};
pub use step::{Alert, Answer, Ask, Effects, HeadAnswer, Next, PassedOver, Position, Why};
