//! Inbound HTTP: the killfeed in all its forms, single killmails, and what operators look at.
//!
//! One operation, one file. Handlers read the feed and the store and know no upstream. Every error leaves
//! through [`ApiError`]; every limit is named in [`limits`].

pub mod admission;
pub mod backfills;
mod docs;
pub mod error;
pub mod extract;
pub mod killfeed;
pub mod killmails;
pub mod limits;
pub mod ops;
pub mod phoenix;
pub mod probe;
pub mod problem;
pub mod query_turns;
pub mod r2z2;
pub mod redisq;
pub mod router;
pub mod server;
pub mod state;
pub mod stats;
pub mod subscriptions;
pub mod systems;
pub mod tls;
pub mod v1;

mod address_places;
mod api_tokens;
mod client_address;
mod client_socket;
mod events;
mod live_page;
mod operator;
mod page;
mod rate;
mod stalled_writer;
mod upstream_shape;
pub mod wishing;

pub use error::ApiError;
pub use limits::Limits;
pub use router::router;
pub use server::serve;
pub use state::{ApiState, MetricsRenderer};
