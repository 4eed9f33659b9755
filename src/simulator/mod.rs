//! The stand-in upstream: every server we ask, from a seeded generator or recorded files, with faults on demand.
//!
//! One listener on loopback, a path for each server: `/r2z2/`, `/redisq/`, `/zkb/`, `/esi/`, `/everef/`,
//! `/ship-types/`, and `/simulator/` to steer it by HTTP. Tests, the demo and the benchmarks run against
//! it; authors of bots can run it alone.

mod archives;
pub mod catalog;
mod config;
mod edition;
mod etiquette;
mod fault;
mod generator;
mod handle;
mod hash;
mod journal;
mod number;
pub mod render;
mod server;
mod source;
mod world;

pub use archives::{Archives, HistoryServer};
pub use config::SimulatorConfig;
pub use edition::Edition;
pub use etiquette::{Etiquette, Violation};
pub use fault::{Fault, FaultPlan, FaultRule};
pub use generator::{FIRST_KILLMAIL_ID, Generated, Generator, Habits, assess};
pub use handle::Simulator;
pub use journal::Request;
pub use source::Error;
pub use world::Published;
