//! What an answer says about the past it was asked for: `"backfill":{"state":"…","since":"…"}`.
//!
//! | state | what it says |
//! |---|---|
//! | `complete` | everything since `since` is stored; with `"truncated":true` only that, for there is too much before it |
//! | `requested` | the past since `since` is wanted, and nothing of it read yet |
//! | `running` | it is being read |
//! | `failed` | it was given up; `reason` says why. Asking an hour later tries again |
//! | `unavailable` | nobody reads it; `reason` says why |
//!
//! A system whose past is not known [well enough](crate::domain::history) is wanted by being asked for; the
//! answer does not wait for it. Asking again a little later gives the rest.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::envelope::timestamp;
use crate::api::{ApiError, ApiState};
use crate::domain::history::first_unknown;
use crate::domain::{HistoryKey, HistoryKind, Span};
use crate::store::history_wishes::{self, Knowledge, RequestedBy, Wish, WishState};

const SWITCHED_OFF: &str = "this service asks nobody for the past";
const NO_SYSTEM: &str = "no solar system has this id";
const TOO_MANY: &str = "too many systems were asked for from your address; ask again in a minute";
const NO_ROOM: &str = "the past of too many others is wanted already; ask again later";

/// What is known of one system's past. The order is that in which one stands for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Running,
    Requested,
    Failed,
    Unavailable,
    Complete,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => WishState::Running.as_str(),
            Self::Requested => WishState::Requested.as_str(),
            Self::Failed => WishState::Failed.as_str(),
            Self::Unavailable => "unavailable",
            Self::Complete => WishState::Complete.as_str(),
        }
    }
}

/// The past of one system.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Backfill {
    state: State,
    since: DateTime<Utc>,
    truncated: bool,
    reason: Option<String>,
    is_known: bool,
}

/// Who asks, for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) peer: Option<IpAddr>,
    pub(super) since: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

impl Backfill {
    /// True where everything that was asked for is stored.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// As JSON text.
    pub(super) fn json(&self) -> String {
        self.value().to_string()
    }

    fn value(&self) -> Value {
        let mut members = serde_json::Map::new();
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("state", self.state.as_str().into());
        add("since", timestamp(self.since).into());
        if self.truncated {
            add("truncated", true.into());
        }
        if let Some(reason) = &self.reason {
            add("reason", reason.as_str().into());
        }
        Value::Object(members)
    }

    fn complete(since: DateTime<Utc>) -> Self {
        Self {
            state: State::Complete,
            since,
            truncated: false,
            reason: None,
            is_known: true,
        }
    }

    fn unknown(state: State, since: DateTime<Utc>, reason: Option<String>) -> Self {
        Self {
            state,
            since,
            truncated: false,
            reason,
            is_known: false,
        }
    }

    fn unavailable(since: DateTime<Utc>, reason: &str) -> Self {
        Self::unknown(State::Unavailable, since, Some(reason.to_owned()))
    }

    /// What the row of a system says that is not known, and not to be asked for now.
    fn of_wish(wish: &Wish, since: DateTime<Utc>) -> Self {
        match wish.state {
            WishState::Requested => Self::unknown(State::Requested, wish.wanted_from, None),
            WishState::Running => Self::unknown(State::Running, wish.wanted_from, None),
            WishState::Failed => Self::unknown(State::Failed, since, wish.last_error.clone()),
            WishState::Complete => Self {
                truncated: wish.truncated,
                ..Self::unknown(
                    State::Complete,
                    wish.known.map_or(since, |known| known.from),
                    None,
                )
            },
        }
    }
}

/// Of many systems: the state that most says that something is missing, and the systems that are not
/// `complete` with theirs, as JSON text.
pub(super) fn json_of_many(all: &BTreeMap<i64, Backfill>, since: DateTime<Utc>) -> String {
    let worst = all.values().map(|one| one.state).min();
    let open = all
        .iter()
        .filter(|(_, one)| one.state != State::Complete)
        .map(|(system, one)| (system.to_string(), Value::from(one.state.as_str())));
    json!({
        "state": worst.unwrap_or(State::Complete).as_str(),
        "since": timestamp(since),
        "systems": open.collect::<serde_json::Map<String, Value>>(),
    })
    .to_string()
}

/// What is known of the past of these systems, and takes down that the rest is wanted.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_systems(
    state: &ApiState,
    systems: &[i64],
    question: Question,
) -> Result<BTreeMap<i64, Backfill>, ApiError> {
    let Question { since, now, .. } = question;
    let pool = &state.store.pool;
    let Knowledge { spans } = history_wishes::knowledge(pool, since).await?;
    let wanted = Span {
        from: since,
        until: now,
    };
    let complete = |system: &i64| (*system, Backfill::complete(since));
    if first_unknown(None, &spans, wanted, history_wishes::SLACK).is_none() {
        return Ok(systems.iter().map(complete).collect());
    }
    let wishes = history_wishes::of(pool, HistoryKind::System, systems).await?;
    let wishes: BTreeMap<i64, Wish> = wishes.into_iter().map(|it| (it.key.id, it)).collect();
    let (known, unknown): (Vec<i64>, Vec<i64>) = systems.iter().partition(|system| {
        let read = wishes.get(system).and_then(|wish| wish.known);
        first_unknown(read, &spans, wanted, history_wishes::SLACK).is_none()
    });
    let mut found: BTreeMap<i64, Backfill> = known.iter().map(complete).collect();
    let possible = history_wishes::possible_systems(pool, &unknown).await?;
    for system in unknown {
        let backfill = if possible.contains(&system) {
            wish_for(state, system, wishes.get(&system), question).await?
        } else {
            Backfill::unavailable(since, NO_SYSTEM)
        };
        found.insert(system, backfill);
    }
    Ok(found)
}

/// Takes a wish down where there is none that serves.
async fn wish_for(
    state: &ApiState,
    system: i64,
    wish: Option<&Wish>,
    question: Question,
) -> Result<Backfill, ApiError> {
    let Question { peer, since, now } = question;
    if let Some(wish) = wish {
        let serves = if wish.is_open() {
            wish.wanted_from <= since
        } else {
            !wish.may_be_asked_again(now)
        };
        if serves {
            return Ok(Backfill::of_wish(wish, since));
        }
    }
    if !state.wishing.is_on() {
        return Ok(Backfill::unavailable(since, SWITCHED_OFF));
    }
    if !state.wishing.take(peer, state.clock.monotonic()) {
        return Ok(Backfill::unavailable(since, TOO_MANY));
    }
    let key = HistoryKey::system(system);
    let taken =
        history_wishes::request(&state.store.pool, key, since, RequestedBy::Api, now).await?;
    Ok(if taken {
        Backfill::unknown(State::Requested, since, None)
    } else {
        Backfill::unavailable(since, NO_ROOM)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_state_stands_for_many() {
        let since: DateTime<Utc> = "2026-11-01T12:00:00Z".parse().unwrap();
        let mut all = BTreeMap::from([(1, Backfill::complete(since))]);
        let read = |all: &BTreeMap<i64, Backfill>| -> Value {
            serde_json::from_str(&json_of_many(all, since)).unwrap()
        };
        let timestamp = "2026-11-01T12:00:00.000000Z";
        assert_eq!(
            read(&all),
            json!({ "state": "complete", "since": timestamp, "systems": {} })
        );
        all.insert(2, Backfill::unavailable(since, NO_SYSTEM));
        assert_eq!(read(&all)["state"], "unavailable");
        all.insert(3, Backfill::unknown(State::Running, since, None));
        all.insert(4, Backfill::unknown(State::Requested, since, None));
        assert_eq!(
            read(&all),
            json!({
                "state": "running",
                "since": timestamp,
                "systems": { "2": "unavailable", "3": "running", "4": "requested" },
            })
        );
    }

    #[test]
    fn a_reason_is_there_where_there_is_one() {
        let since: DateTime<Utc> = "2026-11-01T12:00:00Z".parse().unwrap();
        let value = Backfill::unavailable(since, NO_SYSTEM).value();
        assert_eq!(
            value,
            json!({
                "state": "unavailable",
                "since": "2026-11-01T12:00:00.000000Z",
                "reason": NO_SYSTEM,
            })
        );
        assert_eq!(Backfill::complete(since).value().get("reason"), None);
    }
}
