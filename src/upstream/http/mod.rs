//! The one HTTP client: budgets and breakers per host, time-outs, body caps, and errors that say what to
//! do next. Nothing else in the crate talks HTTP to the outside.

mod body;
mod breaker;
mod budget;
mod client;
mod error;
mod events;
mod guarded;
mod redirect;
mod request;
mod retry;
mod retry_after;

pub use body::BodyStream;
pub use budget::{Budget, Pace};
pub use client::{HttpClient, HttpSettings, Opened};
pub use error::{Error, Result, Retry};
pub use guarded::{Allows, GuardedAnswer, GuardedClient, LookUp, SystemLookUp};
pub use request::{Expect, Limits, Redirects, Request, Response};
pub use reqwest::StatusCode;
pub use reqwest::header::HeaderMap;
pub use retry::{Attempts, with_retries};
pub use retry_after::retry_after;
