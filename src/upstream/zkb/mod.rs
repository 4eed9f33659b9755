//! zKillboard: its live feed R2Z2, the RedisQ protocol that relays still speak, and single killmails by REST.

pub mod r2z2;
pub mod redisq;
pub mod rest;
