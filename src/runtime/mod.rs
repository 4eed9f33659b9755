//! What every room needs: configuration, telemetry, supervision, time, and the embedded database server.

pub mod clock;
pub mod config;
pub mod descriptors;
pub mod disk;
pub mod memory;
pub mod postgres;
pub mod signals;
pub mod supervisor;
pub mod telemetry;
pub mod terms;
pub mod tls;
