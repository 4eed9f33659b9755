//! What a run is to be, and what happens when.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

/// How far a clock jumps at most, seconds: an hour.
const LONGEST_JUMP: i64 = 3_600;
/// How far it jumps at least: a minute.
const SHORTEST_JUMP: i64 = 60;

/// What a run is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) seconds: u64,
    pub(super) listeners: usize,
    pub(super) killmails: usize,
    pub(super) seed: u64,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Blow {
    /// The database's connections end, and there are no new ones for so long.
    Cut(Duration),
    /// The database's disk is full for so long.
    DiskFull(Duration),
    /// The process that ingests is killed, and started again after so long.
    KillLeader(Duration),
    /// The other process is killed, and started again after so long.
    KillOther(Duration),
    /// PostgreSQL is killed.
    KillDatabase,
    /// The clock of one process is this many seconds wrong from now on.
    ClockJump(i64),
}

impl Settings {
    /// The short form, or what the environment says.
    pub(super) fn read() -> Self {
        Self {
            seconds: number("CHAOS_SECONDS", 40),
            listeners: usize::try_from(number("CHAOS_LISTENERS", 200)).unwrap(),
            killmails: usize::try_from(number("CHAOS_KILLMAILS", 300)).unwrap(),
            seed: number("CHAOS_SEED", 1),
        }
    }

    pub(super) fn lasting(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else {
        return otherwise;
    };
    match text.parse() {
        Ok(number @ 1..=100_000) => number,
        _ => panic!("{variable} is \"{text}\", allowed is a whole number from 1 to 100000"),
    }
}

/// The faults of a run in the order in which they come: each kind at least once, and again every so often.
pub(super) fn blows(random: &mut StdRng, lasting: Duration) -> Vec<(Duration, Blow)> {
    type Make = fn(&mut StdRng) -> Blow;
    let kinds: [(u64, Make); 6] = [
        (10, |random| Blow::Cut(pause(random, 100..4_000))),
        (120, |random| Blow::DiskFull(pause(random, 1_500..4_000))),
        (20, |random| Blow::KillLeader(pause(random, 0..3_000))),
        (30, |random| Blow::KillOther(pause(random, 0..3_000))),
        (60, |_| Blow::KillDatabase),
        (8, |random| Blow::ClockJump(jump(random))),
    ];
    let mut blows = Vec::new();
    for (every, make) in kinds {
        for _ in 0..(lasting.as_secs() / every).max(1) {
            let at = lasting.mul_f64(random.random_range(0.0..1.0));
            blows.push((at, make(random)));
        }
    }
    blows.sort_by_key(|(at, _)| *at);
    blows
}

fn pause(random: &mut StdRng, milliseconds: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.random_range(milliseconds))
}

fn jump(random: &mut StdRng) -> i64 {
    let by = random.random_range(SHORTEST_JUMP..=LONGEST_JUMP);
    if random.random() { by } else { -by }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;

    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn the_chaos_of_a_seed_is_always_the_same_and_has_everything() {
        let lasting = Duration::from_secs(5);
        let blows = |seed| blows(&mut StdRng::seed_from_u64(seed), lasting);
        assert_eq!(blows(1), blows(1));
        assert_ne!(blows(1), blows(2));
        let kinds: HashSet<_> = blows(3).iter().map(|(_, it)| discriminant(it)).collect();
        assert_eq!(kinds.len(), 6);
        assert!(blows(4).iter().all(|(at, _)| *at < lasting));
    }
}
