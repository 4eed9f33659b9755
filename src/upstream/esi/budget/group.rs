use std::time::Duration;

use super::ERROR_WINDOW;
use crate::upstream::esi::headers::Tokens;

/// One part in so many of a group's tokens is left alone, for other programs behind the same address.
const RESERVE_PART: u64 = 10;
/// Tokens that a request may cost at most: a 4XX.
const DEAREST: u64 = 5;

/// What is known of a group of routes.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Its routes wait until then.
    pub(super) until: Duration,
    /// Tokens above the reserve.
    spare: Option<u64>,
    pub(super) in_flight: u64,
}

impl Group {
    /// Learns from an answer of one of its routes.
    pub(super) fn observe(
        &mut self,
        status: u16,
        tokens: Option<Tokens>,
        retry_after: Option<Duration>,
        now: Duration,
    ) {
        let mut pause = (status == 429).then(|| retry_after.unwrap_or(ERROR_WINDOW));
        if let Some(tokens) = tokens {
            let reserve = tokens.limit.div_ceil(RESERVE_PART);
            self.spare = Some(tokens.left.saturating_sub(reserve));
            // Tokens come back one window after their use: after a tenth of it about a tenth of them is back.
            let scarce = tokens.left < reserve.saturating_add(DEAREST);
            pause = pause.or_else(|| scarce.then(|| tokens.window / 10));
        }
        if let Some(pause) = pause {
            self.until = self.until.max(now + pause);
        }
    }

    /// True where the requests under way may use up what is above the reserve. A request alone may always
    /// go: its answer tells anew what is left.
    pub(super) fn is_crowded(&self) -> bool {
        self.in_flight > 0
            && self
                .spare
                .is_some_and(|spare| spare < (self.in_flight + 1).saturating_mul(DEAREST))
    }
}
