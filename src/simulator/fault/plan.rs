//! Random faults that a patient client survives.

use std::collections::HashMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Fault;

/// Random faults for a share of all requests, none of which lasts: after at most
/// [`FaultPlan::IN_A_ROW`] faults a path answers rightly, so that everything published can be had.
#[derive(Debug)]
pub struct FaultPlan {
    seed: u64,
    rng: StdRng,
    share: f64,
    rows: HashMap<String, u32>,
}

impl Clone for FaultPlan {
    /// The same plan from its start.
    fn clone(&self) -> Self {
        Self::random(self.seed, self.share)
    }
}

/// How many paths' rows are remembered; beyond that all start over.
const MAX_ROWS: usize = 10_000;
/// Long enough to overlap other requests, short enough for a test.
const STALL: Duration = Duration::from_millis(150);

impl FaultPlan {
    /// The most faults that one path gets in a row.
    pub const IN_A_ROW: u32 = 2;

    /// Faults for `share` (0 to 1) of the requests, drawn by `seed`.
    pub fn random(seed: u64, share: f64) -> Self {
        Self {
            seed,
            rng: StdRng::seed_from_u64(seed),
            share: share.clamp(0.0, 1.0),
            rows: HashMap::new(),
        }
    }

    /// The fault for a request to `path`, if it gets one.
    pub(crate) fn pick(&mut self, path: &str) -> Option<Fault> {
        let menu = menu(path);
        let row = self.rows.get(path).copied().unwrap_or_default();
        if row >= Self::IN_A_ROW || menu.is_empty() || !self.rng.random_bool(self.share) {
            self.rows.remove(path);
            return None;
        }
        if self.rows.len() >= MAX_ROWS {
            self.rows.clear();
        }
        self.rows.insert(path.to_owned(), row + 1);
        let at = self.rng.random_range(0..menu.len());
        menu.into_iter().nth(at)
    }
}

/// What may happen to a path. Bans and maintenance are left out: a client that obeys them stands still for an
/// hour, or half a minute.
fn menu(path: &str) -> Vec<Fault> {
    let mut menu = vec![
        Fault::TooManyRequests {
            retry_after: Some(1),
        },
        Fault::ServerError(500),
        Fault::ServerError(502),
        Fault::ServerError(503),
        Fault::Html,
        Fault::EmptyBody,
        Fault::TruncatedJson,
        Fault::CutConnection,
        Fault::Stall(STALL),
    ];
    if path.ends_with("/sequence.json") {
        menu.push(Fault::RewoundSequence { by: 40 });
    } else if path.starts_with("/r2z2/ephemeral/") {
        menu.push(Fault::NotFoundGhost { for_requests: 1 });
        menu.push(Fault::NullBody);
    } else if path == "/esi/universe/names" {
        menu.push(Fault::PoisonedNames);
    } else if path.starts_with("/esi/") {
        menu.push(Fault::ErrorLimited420);
    } else if path.starts_with("/simulator/") {
        menu.clear();
    }
    menu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_right_again_after_two_faults() {
        let mut plan = FaultPlan::random(3, 1.0);
        let path = "/r2z2/ephemeral/7.json";
        assert!(plan.pick(path).is_some());
        assert!(plan.pick(path).is_some());
        assert!(plan.pick(path).is_none());
    }

    #[test]
    fn the_share_is_kept() {
        let mut plan = FaultPlan::random(3, 0.25);
        let faults = (0..4_000)
            .filter(|it| plan.pick(&format!("/esi/{it}")).is_some())
            .count();
        assert!((800..1_200).contains(&faults), "{faults}");
    }
}
