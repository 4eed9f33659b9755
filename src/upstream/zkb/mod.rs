//! zKillboard's live feeds: R2Z2, and the RedisQ protocol that relays still speak.

pub mod r2z2;
pub mod redisq;
