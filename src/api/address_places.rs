//! How many of something each address has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::runtime::config::Networks;

/// Places of which each address has a few. Bounded by whatever bounds all places together: an address is forgotten
/// with its last place.
#[derive(Debug)]
pub(super) struct AddressPlaces {
    each: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub(super) struct AddressPlace {
    places: Arc<AddressPlaces>,
    address: IpAddr,
}

impl AddressPlaces {
    /// `each` of them for every address.
    pub(super) fn new(each: usize) -> Arc<Self> {
        Arc::new(Self {
            each,
            taken: Mutex::default(),
        })
    }

    /// A place for `address`; `None` where it has all of its.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<AddressPlace> {
        let mut taken = self.lock();
        let count = taken.entry(address).or_default();
        if *count >= self.each {
            if *count == 0 {
                taken.remove(&address);
            }
            return None;
        }
        *count += 1;
        Some(AddressPlace {
            places: Arc::clone(self),
            address,
        })
    }

    /// Addresses that have places.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(count) = taken.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

/// What an address is counted as; `None` where it is not limited. One IPv6 customer has a whole /64.
pub(super) fn counted(address: IpAddr, unlimited: &Networks) -> Option<IpAddr> {
    if unlimited.contain(address) {
        return None;
    }
    let address = address.to_canonical();
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    })
}
