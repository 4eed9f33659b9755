//! zKillboard: its live feed R2Z2, the RedisQ protocol that relays still speak, and its REST interface: single
//! killmails and lists of the past.

pub mod history;
pub mod list;
pub mod r2z2;
pub mod redisq;
pub mod rest;
