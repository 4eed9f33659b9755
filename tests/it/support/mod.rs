//! What the tests share.

pub(crate) mod app;
pub(crate) mod backfill;
pub(crate) mod binary;
pub(crate) mod blockade;
pub(crate) mod browser;
pub(crate) mod elixir_clients;
pub(crate) mod enriching;
pub(crate) mod following;
pub(crate) mod http;
pub(crate) mod listeners;
pub(crate) mod live;
pub(crate) mod openapi;
pub(crate) mod phoenix;
pub(crate) mod postgres;
pub(crate) mod preloading;
pub(crate) mod proxy;
pub(crate) mod real_data;
pub(crate) mod replica;
pub(crate) mod scripted;
pub(crate) mod scripts;
pub(crate) mod served;
pub(crate) mod sse;
pub(crate) mod standby;
pub(crate) mod wanderer;
pub(crate) mod webhook;
