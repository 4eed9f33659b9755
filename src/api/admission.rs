//! Who may come in: caps on plain requests and on streams. Nobody queues; what does not fit is told when
//! to come again.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::address_places::{AddressPlace, AddressPlaces, counted};
use super::error::ApiError;
use super::events::LimitReached;
use super::limits::{HISTORY_READERS, LONG_QUERIES, Limits, SHORT_QUERIES};
use super::query_turns::QueryTurns;
use crate::runtime::config::Networks;

/// The caps of one process.
#[derive(Debug)]
pub struct Admission {
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    history: Semaphore,
    queries: Arc<Semaphore>,
    /// Turns at a database connection for historical queries and statistics.
    pub query_turns: QueryTurns,
    of_address: Arc<AddressPlaces>,
    unlimited: Networks,
}

/// The right to have one stream (long poll, SSE, websocket); given back when dropped.
#[derive(Debug)]
pub struct StreamPermit {
    _of_address: Option<AddressPlace>,
    _total: OwnedSemaphorePermit,
}

impl Admission {
    /// Caps as `limits` say.
    pub fn new(limits: &Limits) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(limits.requests)),
            streams: Arc::new(Semaphore::new(limits.streams)),
            history: Semaphore::new(HISTORY_READERS),
            queries: Arc::new(Semaphore::new(limits.queries)),
            query_turns: QueryTurns::new(SHORT_QUERIES, LONG_QUERIES),
            of_address: AddressPlaces::new(limits.streams_per_address),
            unlimited: limits.unlimited.clone(),
        }
    }

    /// The right to work on one plain request.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when all are taken.
    pub fn request(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| ApiError::Overloaded)
    }

    /// A turn at reading a page of history for a stream. Streams wait for theirs: a thousand of them must not
    /// take every database connection.
    pub async fn history_turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; without a turn the page is read all the same.
        self.history.acquire().await.ok()
    }

    /// The right to work on one historical query until its answer is sent.
    ///
    /// # Errors
    /// [`ApiError::TooManyQueries`] when all are taken.
    pub fn query(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.queries)
            .try_acquire_owned()
            .map_err(|_| ApiError::TooManyQueries)
    }

    /// The right to one stream from `address`.
    ///
    /// # Errors
    /// [`ApiError::TooManyStreams`] when all are taken, or all of this address.
    pub fn stream(&self, address: Option<IpAddr>) -> Result<StreamPermit, ApiError> {
        let refused = |whose| {
            LimitReached { what: "streams" }.emit();
            ApiError::TooManyStreams { whose }
        };
        let total = Arc::clone(&self.streams)
            .try_acquire_owned()
            .map_err(|_| refused("this server"))?;
        let of_address = address
            .and_then(|address| counted(address, &self.unlimited))
            .map(|address| {
                self.of_address
                    .take(address)
                    .ok_or_else(|| refused("your address"))
            })
            .transpose()?;
        Ok(StreamPermit {
            _of_address: of_address,
            _total: total,
        })
    }
}

/// What an address is counted as where loopback is not: one IPv6 customer has a whole /64.
pub(super) fn counted_address(address: IpAddr) -> Option<IpAddr> {
    counted(address, &Networks::loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(streams: usize, streams_per_address: usize) -> Arc<Admission> {
        Arc::new(Admission::new(&Limits {
            streams,
            streams_per_address,
            requests: 1,
            ..Limits::default()
        }))
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn an_address_has_its_own_cap_and_gets_its_place_back() {
        let admission = admission(10, 1);
        let first = admission.stream(address("203.0.113.1")).unwrap();
        assert!(admission.stream(address("203.0.113.1")).is_err());
        assert!(admission.stream(address("203.0.113.2")).is_ok());
        drop(first);
        assert!(admission.stream(address("203.0.113.1")).is_ok());
        assert_eq!(admission.of_address.len(), 0);
    }

    #[test]
    fn one_ipv6_network_is_one_address_and_loopback_is_none() {
        let admission = admission(10, 1);
        let _first = admission.stream(address("2001:db8:1:2::1")).unwrap();
        assert!(admission.stream(address("2001:db8:1:2:ffff::9")).is_err());
        assert!(admission.stream(address("2001:db8:1:3::1")).is_ok());
        let _loopback = admission.stream(address("127.0.0.1")).unwrap();
        assert!(admission.stream(address("127.0.0.1")).is_ok());
        assert!(admission.stream(address("::ffff:127.0.0.1")).is_ok());
    }

    #[test]
    fn the_total_holds_for_everyone_and_a_refusal_costs_nothing() {
        let admission = admission(1, 1);
        let first = admission.stream(address("127.0.0.1")).unwrap();
        assert!(admission.stream(address("203.0.113.1")).is_err());
        drop(first);
        assert!(admission.stream(address("203.0.113.1")).is_ok());
        let request = admission.request().unwrap();
        assert!(matches!(admission.request(), Err(ApiError::Overloaded)));
        drop(request);
        assert!(admission.request().is_ok());
    }

    #[test]
    fn historical_queries_have_their_own_cap() {
        let admission = Admission::new(&Limits {
            queries: 1,
            ..Limits::default()
        });
        let query = admission.query().unwrap();
        assert!(matches!(admission.query(), Err(ApiError::TooManyQueries)));
        assert!(admission.request().is_ok());
        drop(query);
        assert!(admission.query().is_ok());
    }
}
