//! Who may poll: one at a time for each queue, and nobody too often.

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::api::ApiError;
use crate::api::admission::counted_address;
use crate::runtime::clock::{SharedClock, Ticks};

/// Polls a second from one address, as RedisQ allowed.
const POLLS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// Most addresses that are counted at the same time; each is forgotten after a second.
const MAX_ADDRESSES: usize = 10_000;

type Limiter = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Ticks, NoOpMiddleware<Duration>>;

/// The polls of one process.
#[derive(Debug)]
pub(super) struct Desk {
    limiter: Limiter,
    // Bounded by the cap on streams: every poll is one.
    busy: Mutex<HashSet<String>>,
}

/// The right to poll one queue; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    desk: Arc<Desk>,
    queue_id: String,
}

impl Desk {
    pub(super) fn new(clock: SharedClock) -> Self {
        let quota = Quota::per_second(POLLS_PER_SECOND);
        Self {
            limiter: RateLimiter::hashmap_with_clock(quota, Ticks(clock)),
            busy: Mutex::default(),
        }
    }

    /// Counts a poll. Loopback is exempt: a reverse proxy sits there.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] from this address, or from more addresses than are counted.
    pub(super) fn count(&self, address: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(address) = address.and_then(counted_address) else {
            return Ok(());
        };
        if self.limiter.len() >= MAX_ADDRESSES {
            self.limiter.retain_recent();
        }
        if self.limiter.len() >= MAX_ADDRESSES || self.limiter.check_key(&address).is_err() {
            return Err(ApiError::TooManyRequests {
                reason: "more than 2 polls a second",
            });
        }
        Ok(())
    }

    /// The right to poll a queue.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] while another poll of the queue waits in this process.
    pub(super) fn enter(self: &Arc<Self>, queue_id: &str) -> Result<Turn, ApiError> {
        if !self.lock().insert(queue_id.to_owned()) {
            return Err(QUEUE_BUSY);
        }
        Ok(Turn {
            desk: Arc::clone(self),
            queue_id: queue_id.to_owned(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another poll of the queue waits, here or in another process.
pub(super) const QUEUE_BUSY: ApiError = ApiError::TooManyRequests {
    reason: "another poll of this queue is under way",
};

impl Drop for Turn {
    fn drop(&mut self) {
        self.desk.lock().remove(&self.queue_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::TestClock;

    fn desk() -> (Arc<TestClock>, Arc<Desk>) {
        let clock = TestClock::at("2026-11-24T12:00:00Z".parse().unwrap());
        let desk = Arc::new(Desk::new(clock.clone()));
        (clock, desk)
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn an_address_polls_twice_a_second() {
        let (clock, desk) = desk();
        let from = address("203.0.113.1");
        assert!(desk.count(from).is_ok() && desk.count(from).is_ok());
        let refused = desk.count(from).unwrap_err();
        assert_eq!(refused.status().as_u16(), 429);
        assert!(desk.count(address("203.0.113.2")).is_ok());
        clock.advance(Duration::from_millis(500));
        assert!(desk.count(from).is_ok());
        assert!(desk.count(from).is_err());
    }

    #[test]
    fn loopback_is_not_counted() {
        let (_, desk) = desk();
        assert!((0..10).all(|_| desk.count(address("127.0.0.1")).is_ok()));
        assert!((0..10).all(|_| desk.count(None).is_ok()));
        assert_eq!(desk.limiter.len(), 0);
    }

    #[test]
    fn addresses_are_forgotten_before_they_are_too_many() {
        let (clock, desk) = desk();
        let one = |number: usize| {
            let number = u32::try_from(number).unwrap();
            desk.count(Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(
                0x0a00_0000 + number,
            ))))
        };
        assert!((0..MAX_ADDRESSES).all(|number| one(number).is_ok()));
        assert!(one(MAX_ADDRESSES).is_err());
        clock.advance(Duration::from_secs(2));
        assert!(one(MAX_ADDRESSES).is_ok());
        assert_eq!(desk.limiter.len(), 1);
    }

    #[test]
    fn a_queue_has_one_poll_at_a_time() {
        let (_, desk) = desk();
        let turn = desk.enter("a").unwrap();
        assert!(desk.enter("a").is_err());
        assert!(desk.enter("b").is_ok());
        drop(turn);
        assert!(desk.enter("a").is_ok());
        assert!(desk.lock().is_empty());
    }
}
