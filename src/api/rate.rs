//! How often one address may ask.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use serde_json::json;

use super::address_places::counted;
use super::error::ApiError;
use super::events::LimitReached;
use super::extract::PeerAddress;
use super::limits::{Limits, MAX_LIMITED_ADDRESSES};
use super::state::ApiState;
use crate::runtime::clock::{SharedClock, Ticks};
use crate::runtime::config::Networks;

const MINUTE: Duration = Duration::from_mins(1);

/// What operators and orchestrators look at, who must see a service that others overrun.
const UNLIMITED_ROUTES: [&str; 6] = [
    "/ping",
    "/metrics",
    "/health",
    "/api/health",
    "/health/live",
    "/health/ready",
];

type Limiter = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Ticks, NoOpMiddleware<Duration>>;

/// Counts requests of addresses.
#[derive(Debug)]
pub struct RequestRate {
    limiter: Limiter,
    clock: SharedClock,
    unlimited: Networks,
}

impl RequestRate {
    /// As `limits` say.
    pub fn new(limits: &Limits, clock: SharedClock) -> Self {
        let period = MINUTE / limits.requests_per_minute.get();
        let quota = Quota::with_period(period)
            .unwrap_or_else(|| Quota::per_second(NonZeroU32::MAX))
            .allow_burst(limits.request_burst);
        Self {
            limiter: RateLimiter::hashmap_with_clock(quota, Ticks(clock.clone())),
            clock,
            unlimited: limits.unlimited.clone(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// [`ApiError::TooOften`] with the seconds until the next one is taken.
    fn count(&self, address: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(address) = address.and_then(|address| counted(address, &self.unlimited)) else {
            return Ok(());
        };
        if self.limiter.len() >= MAX_LIMITED_ADDRESSES {
            self.limiter.retain_recent();
        }
        if self.limiter.len() >= MAX_LIMITED_ADDRESSES {
            return Err(ApiError::TooOften { retry_after: 1 });
        }
        self.limiter.check_key(&address).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.monotonic());
            // Rounded up: who comes then is served.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            ApiError::TooOften {
                retry_after: u16::try_from(seconds).unwrap_or(u16::MAX).max(1),
            }
        })
    }
}

/// The layer around every route.
pub(super) async fn limited(
    State(state): State<ApiState>,
    PeerAddress(address): PeerAddress,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("", MatchedPath::as_str);
    if UNLIMITED_ROUTES.contains(&path) {
        return next.run(request).await;
    }
    match state.rate.count(address) {
        Ok(()) => next.run(request).await,
        Err(refused) => {
            LimitReached { what: "requests" }.emit();
            refusal(refused, path)
        }
    }
}

/// Clients of the old interface know another body.
fn refusal(refused: ApiError, path: &str) -> Response {
    let response = refused.into_response();
    if !path.starts_with("/api/v1") {
        return response;
    }
    let body = json!({ "error": "Too Many Requests", "status": "429" });
    let mut old = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    if let Some(seconds) = response.headers().get(header::RETRY_AFTER) {
        old.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::clone(seconds));
    }
    old
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::runtime::clock::TestClock;

    fn rate(per_minute: u32, burst: u32, clock: &Arc<TestClock>) -> RequestRate {
        let limits = Limits {
            requests_per_minute: NonZeroU32::new(per_minute).unwrap(),
            request_burst: NonZeroU32::new(burst).unwrap(),
            ..Limits::default()
        };
        RequestRate::new(&limits, clock.clone())
    }

    fn clock() -> Arc<TestClock> {
        TestClock::at("2026-11-20T12:00:00Z".parse().unwrap())
    }

    fn retry_after(rate: &RequestRate, address: &str) -> Option<u16> {
        match rate.count(address.parse().ok()) {
            Ok(()) => None,
            Err(ApiError::TooOften { retry_after }) => Some(retry_after),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn an_address_has_its_burst_and_is_told_when_to_come_again() {
        let clock = clock();
        let rate = rate(1, 3, &clock);
        for _ in 0..3 {
            assert_eq!(retry_after(&rate, "203.0.113.1"), None);
        }
        assert_eq!(retry_after(&rate, "203.0.113.1"), Some(60));
        clock.advance(Duration::from_millis(59_500));
        assert_eq!(retry_after(&rate, "203.0.113.1"), Some(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(retry_after(&rate, "203.0.113.1"), None);
        assert_eq!(retry_after(&rate, "203.0.113.2"), None);
        assert_eq!(retry_after(&rate, "::ffff:203.0.113.2"), None);
    }

    #[test]
    fn one_ipv6_network_is_one_address_and_loopback_is_not_limited() {
        let rate = rate(1, 1, &clock());
        assert_eq!(retry_after(&rate, "2001:db8:1:2::1"), None);
        assert_eq!(retry_after(&rate, "2001:db8:1:2:3::1"), Some(60));
        assert_eq!(retry_after(&rate, "2001:db8:1:3::1"), None);
        for _ in 0..9 {
            assert_eq!(retry_after(&rate, "127.0.0.1"), None);
        }
        assert!(rate.count(None).is_ok());
    }
}
