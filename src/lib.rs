//! The killmail service that EVE Online tool makers run themselves.

pub mod api;
pub mod domain;
pub mod feed;
pub mod ingest;
pub mod runtime;
pub mod simulator;
pub mod store;
pub mod upstream;
