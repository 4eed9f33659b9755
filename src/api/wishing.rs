//! Who may want the past of systems, and how often: zKillboard is not to be flooded through us.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::admission::counted_address;
use super::limits::{MAX_WISHES_PER_MINUTE, MAX_WISHES_PER_MINUTE_HERE, MAX_WISHING_ADDRESSES};

const MINUTE: Duration = Duration::from_mins(1);

/// Counts the wishes of one minute.
#[derive(Debug, Default)]
pub struct Wishing {
    is_on: bool,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    began: Duration,
    /// `None` is this machine. Bounded, and emptied every minute.
    wishes: HashMap<Option<IpAddr>, usize>,
}

impl Wishing {
    /// Nobody has wished yet. Where it is not on, nobody reads the past.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            minute: Mutex::default(),
        }
    }

    /// True where somebody reads the past that is wanted.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Counts a wish from `address`, at `now` on the monotonic clock; false where it is one too many. Loopback,
    /// where a proxy may sit with many clients behind it, has more.
    pub fn take(&self, address: Option<IpAddr>, now: Duration) -> bool {
        let address = address.and_then(counted_address);
        let most = if address.is_some() {
            MAX_WISHES_PER_MINUTE
        } else {
            MAX_WISHES_PER_MINUTE_HERE
        };
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(minute.began) >= MINUTE {
            minute.began = now;
            minute.wishes.clear();
        }
        let is_full = minute.wishes.len() >= MAX_WISHING_ADDRESSES;
        if is_full && !minute.wishes.contains_key(&address) {
            return false;
        }
        let count = minute.wishes.entry(address).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    fn taken(wishing: &Wishing, from: &str, at: u64) -> usize {
        (0..1_000)
            .take_while(|_| wishing.take(address(from), Duration::from_secs(at)))
            .count()
    }

    #[test]
    fn each_address_has_a_few_a_minute() {
        let wishing = Wishing::new(true);
        assert_eq!(taken(&wishing, "203.0.113.1", 5), MAX_WISHES_PER_MINUTE);
        assert_eq!(taken(&wishing, "203.0.113.2", 5), MAX_WISHES_PER_MINUTE);
        assert_eq!(taken(&wishing, "203.0.113.1", 59), 0);
        assert_eq!(taken(&wishing, "127.0.0.1", 59), MAX_WISHES_PER_MINUTE_HERE);
        assert_eq!(taken(&wishing, "203.0.113.1", 60), MAX_WISHES_PER_MINUTE);
    }

    #[test]
    fn the_list_of_addresses_has_an_end() {
        let wishing = Wishing::new(true);
        let number = |number: usize| {
            let number = u32::try_from(number).unwrap_or_default();
            Some(IpAddr::from(std::net::Ipv4Addr::from_bits(
                0x0100_0000 + number,
            )))
        };
        let others = (0..MAX_WISHING_ADDRESSES).filter(|it| wishing.take(number(*it), MINUTE));
        assert_eq!(others.count(), MAX_WISHING_ADDRESSES);
        assert!(!wishing.take(number(MAX_WISHING_ADDRESSES), MINUTE));
        assert!(wishing.take(number(0), MINUTE));
        assert!(wishing.take(number(MAX_WISHING_ADDRESSES), MINUTE * 2));
    }
}
