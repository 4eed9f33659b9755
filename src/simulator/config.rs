//! How a simulator is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::archives::Archives;
use super::etiquette::Etiquette;
use super::fault::FaultPlan;
use super::generator::{FIRST_KILLMAIL_ID, Habits};
use crate::runtime::clock::{SharedClock, SystemClock};

/// How a simulator is set up. Start from [`SimulatorConfig::default`]: nothing is published by itself,
/// nothing fails, and every answer comes at once.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Where it listens; port 0 takes a free one. Only loopback is meant.
    pub listen: SocketAddr,
    /// Decides everything that the generator draws.
    pub seed: u64,
    /// Killmails published per second by itself; `None` publishes only on demand.
    pub rate_per_second: Option<f64>,
    /// The first R2Z2 number.
    pub first_sequence: i64,
    /// The first killmail's id. History lies below it.
    pub first_killmail_id: i64,
    /// A file of killmails, one JSON document a line, published instead of generated ones. It starts
    /// over at its end (ids then repeat).
    pub recorded: Option<PathBuf>,
    /// How often the generator does odd things.
    pub habits: Habits,
    /// When the first killmail is published; each further one comes [`Self::pace`] later. `None` takes
    /// the clock. Set it to get the same killmails in every run.
    pub start_time: Option<DateTime<Utc>>,
    /// Time between two killmails where `start_time` is set (the real stream has one per 5.5 s).
    pub pace: Duration,
    /// Days before the first killmail for which archives, history and REST have killmails.
    pub history_days: u32,
    /// Killmails per such day.
    pub history_per_day: u32,
    /// Further days of archives and history, made when they are asked for.
    pub archives: Option<Archives>,
    /// `sequence.json` shows a number that is up to so many behind.
    pub sequence_lag: i64,
    /// The most killmails kept; the oldest go first. A day of the real stream is about 17,000.
    pub keep: usize,
    /// The longest a RedisQ or relay poll waits, whatever the client asks for.
    pub longest_poll: Duration,
    /// RedisQ packages carry the body, as before December 2025.
    pub redisq_with_body: bool,
    /// Elements of zKillboard's lists carry the body, as since June 2026.
    pub zkb_with_body: bool,
    /// Killmails younger than this are left out of zKillboard's lists (there: five minutes).
    pub zkb_embargo: Duration,
    /// Tokens of ESI's killmail group per window.
    pub esi_tokens: i64,
    /// ESI's floating window.
    pub esi_window: Duration,
    /// Errors per minute after which ESI answers 420 to everything.
    pub esi_errors: u32,
    /// What counts as impolite to R2Z2; see [`Simulator::violations`](super::Simulator::violations).
    pub etiquette: Etiquette,
    /// Random faults.
    pub faults: Option<FaultPlan>,
    /// Where time comes from. Budgets and pauses are measured with it.
    pub clock: SharedClock,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            rate_per_second: None,
            first_sequence: 99_900_001,
            first_killmail_id: FIRST_KILLMAIL_ID,
            recorded: None,
            habits: Habits::default(),
            start_time: None,
            pace: Duration::from_millis(5_500),
            history_days: 0,
            history_per_day: 500,
            archives: None,
            sequence_lag: 51,
            keep: 20_000,
            longest_poll: Duration::from_secs(10),
            redisq_with_body: false,
            zkb_with_body: true,
            zkb_embargo: Duration::ZERO,
            esi_tokens: 3_600,
            esi_window: Duration::from_mins(15),
            esi_errors: 100,
            etiquette: Etiquette::default(),
            faults: None,
            clock: SystemClock::shared(),
        }
    }
}
