//! EVE Ref: day archives of killmails.

pub mod archive;
mod client;

pub use client::EveRef;
