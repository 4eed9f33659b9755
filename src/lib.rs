#![doc = include_str!("../README.md")]
//! # Architecture map
//!
//! Rooms, in the order in which a killmail walks through them; imports point up this list only:
//!
//! | room | what it holds |
//! |---|---|
//! | [`domain`] | what a killmail is: model, total parser, canonical JSON, one filter. No I/O |
//! | [`runtime`] | configuration, telemetry, supervisor, clock, embedded PostgreSQL |
//! | [`upstream`] | bytes from outside: the one HTTP client, R2Z2, RedisQ, zKillboard, ESI, static data, archives |
//! | [`store`] | all SQL, one file per aggregate |
//! | [`ingest`] | raw to stored: processor, enricher, committer; live source, import, reference data, upkeep |
//! | [`feed`] | the log, read: tail, ring, wake index, reader |
//! | [`api`] | inbound HTTP |
//! | [`simulator`] | the stand-in upstream |
//!
//! [`service`] wires them, [`cli`] calls it.
//!
//! Invariants: SQL only in `store`; the environment only in `runtime::config`; reqwest only in
//! `upstream::http`; axum only in `api` and `simulator`; the store is the only way from ingest to feed, so the
//! feed never sees a killmail that is not committed; `ingest` does not know who listens.

pub mod api;
pub mod cli;
pub mod domain;
pub mod feed;
pub mod ingest;
pub mod runtime;
pub mod service;
pub mod simulator;
pub mod store;
pub mod upstream;

pub use domain::{Facts, FeedSequence, Filter, Killmail};
pub use feed::FeedEvent;
pub use runtime::config::Config;
pub use service::{Handle, Service};
