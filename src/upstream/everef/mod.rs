//! EVE Ref: day archives of killmails.

pub mod archive;
