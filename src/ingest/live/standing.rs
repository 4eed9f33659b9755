use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::upstream::http::HttpClient;

/// Why the live source is not asked at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It failed too often in a row: its breaker is open until an answer closes it.
    BreakerOpen,
    /// It refuses this address (403).
    Banned,
}

/// What keeps this process from the live source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hindered {
    /// Why.
    pub obstacle: Obstacle,
    /// When it is asked again, at the earliest.
    pub until: DateTime<Utc>,
}

/// How the live source stands with this process. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// When it last answered, or when this process began to follow it; `None` where another process does.
    last_answer: Option<DateTime<Utc>>,
    /// The last answer was a ban until then.
    banned_until: Option<DateTime<Utc>>,
}

/// A term as the process that follows; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Following(Standing);

impl Drop for Following {
    fn drop(&mut self) {
        *self.0.lock() = State::default();
    }
}

impl Standing {
    /// What keeps this process from the source at `url`; `None` where nothing does, or where another process
    /// follows it.
    pub fn hindered(&self, http: &HttpClient, url: &Url, now: DateTime<Utc>) -> Option<Hindered> {
        let state = self.lock();
        state.last_answer?;
        if let Some(until) = state.banned_until {
            return Some(Hindered {
                obstacle: Obstacle::Banned,
                until,
            });
        }
        let left = http.breaker_open_for(url)?;
        Some(Hindered {
            obstacle: Obstacle::BreakerOpen,
            until: now + TimeDelta::from_std(left).unwrap_or_default(),
        })
    }

    /// When a request to the source last ended, or this process began to follow it; `None` where another process
    /// follows it.
    pub fn last_answer(&self) -> Option<DateTime<Utc>> {
        self.lock().last_answer
    }

    /// This process follows the source from `now` on, for as long as the guard lives.
    pub(super) fn follow(&self, now: DateTime<Utc>) -> Following {
        self.lock().last_answer = Some(now);
        Following(self.clone())
    }

    /// A request to the source ended: with a ban until then, or with anything else.
    pub(super) fn answered(&self, now: DateTime<Utc>, banned_until: Option<DateTime<Utc>>) {
        *self.lock() = State {
            last_answer: Some(now),
            banned_until,
        };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::SystemClock;
    use crate::upstream::http::HttpSettings;

    #[test]
    fn only_the_follower_is_hindered_and_only_until_the_next_answer() {
        let standing = Standing::default();
        let http = HttpClient::new(&HttpSettings::default(), SystemClock::shared()).unwrap();
        let url: Url = "http://127.0.0.1:9/".parse().unwrap();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let hindered = || standing.hindered(&http, &url, now);
        assert_eq!(hindered(), None);
        let following = standing.follow(now);
        assert_eq!(hindered(), None);
        standing.answered(now, Some(now));
        let banned = Hindered {
            obstacle: Obstacle::Banned,
            until: now,
        };
        assert_eq!(hindered(), Some(banned));
        standing.answered(now, None);
        assert_eq!(hindered(), None);
        standing.answered(now, Some(now));
        assert_eq!(standing.last_answer(), Some(now));
        drop(following);
        assert_eq!((hindered(), standing.last_answer()), (None, None));
    }
}
