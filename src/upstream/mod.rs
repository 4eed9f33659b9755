//! Bytes from outside: one HTTP client with budgets, retries and breakers, and what each server speaks.

pub mod day_file;
pub mod esi;
pub mod everef;
pub mod http;
pub mod static_data;
pub mod totals;
pub mod zkb;
