//! The one channel of a connection: what it is subscribed to.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::counts::OwedCounts;
use super::id_set::IdSet;
use super::ids::{CHARACTERS, Kind, SYSTEMS};
use super::join::{Join, PreloadOptions};
use super::lobby::Counted;
use super::preload::Preload;
use super::seam::Seam;
use super::session::random_id;
use crate::domain::{Filter, MatchMode};
use crate::feed::{Feed, FeedEvent, Reader};

/// Random bytes of a subscription's id.
const SUBSCRIPTION_ID_BYTES: usize = 16;

/// A joined channel.
#[derive(Debug)]
pub(super) struct Channel {
    /// The join's `join_ref`, as JSON text.
    pub(super) join_ref: Option<String>,
    subscription_id: String,
    systems: IdSet,
    characters: IdSet,
    options: PreloadOptions,
    /// Reads what matches; not asked while nothing is subscribed to, since its filter lets everything through
    /// then.
    pub(super) reader: Reader,
    /// Events that were read to check a cursor.
    pub(super) first: Vec<Arc<FeedEvent>>,
    pub(super) preload: Option<Preload>,
    pub(super) seam: Seam,
    pub(super) counts: OwedCounts,
    /// Monotonic time of the last update or count.
    pub(super) told: Duration,
    /// The database failed; the reader is not asked before this.
    pub(super) paused_until: Duration,
    _counted: Counted,
}

/// The ids of one kind, to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Systems,
    Characters,
}

impl Which {
    /// Its rules.
    pub(super) fn kind(self) -> &'static Kind {
        match self {
            Self::Systems => &SYSTEMS,
            Self::Characters => &CHARACTERS,
        }
    }

    fn subscribed(self) -> &'static str {
        match self {
            Self::Systems => "subscribed_systems",
            Self::Characters => "subscribed_characters",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Systems => "systems",
            Self::Characters => "characters",
        }
    }
}

/// The filter for what matches by system or by character.
pub(super) fn filter(systems: &[i64], characters: &[i64]) -> Filter {
    Filter {
        systems: systems.iter().copied().collect(),
        characters: characters.iter().copied().collect(),
        match_mode: MatchMode::Any,
        ..Filter::default()
    }
}

impl Channel {
    /// A channel as a join asks for it, over a reader with the join's filter.
    pub(super) fn new(
        join_ref: Option<String>,
        join: &Join,
        reader: Reader,
        now: Duration,
        counted: Counted,
    ) -> Self {
        let mut channel = Self {
            join_ref,
            subscription_id: random_id(SUBSCRIPTION_ID_BYTES),
            systems: IdSet::from(&*join.systems),
            characters: IdSet::from(&*join.character_ids),
            options: join.preload,
            reader,
            first: Vec::new(),
            preload: None,
            seam: Seam::default(),
            counts: OwedCounts::default(),
            told: now,
            paused_until: Duration::ZERO,
            _counted: counted,
        };
        if join.after.is_none() {
            let systems = channel.systems.as_slice().to_vec();
            channel.preload_more(&systems);
        }
        channel
    }

    /// The answer to its join.
    pub(super) fn welcome(&self) -> Value {
        json!({
            "subscription_id": self.subscription_id,
            "subscribed_systems": self.systems.as_slice(),
            "subscribed_characters": self.characters.as_slice(),
            "status": "connected",
        })
    }

    /// The answer to `get_status`.
    pub(super) fn status(&self, connected_at: &str, user_id: &str) -> Value {
        json!({
            "subscription_id": self.subscription_id,
            "subscribed_systems": self.systems.as_slice(),
            "subscribed_characters": self.characters.as_slice(),
            "connected_at": connected_at,
            "user_id": user_id,
        })
    }

    /// Whether there is anything to wait for.
    pub(super) fn listens(&self) -> bool {
        !self.systems.is_empty() || !self.characters.is_empty()
    }

    /// Whether it is subscribed to the system.
    pub(super) fn has_system(&self, system: i64) -> bool {
        self.systems.contains(system)
    }

    /// One of its systems.
    pub(super) fn any_system(&self) -> Option<i64> {
        self.systems.as_slice().first().copied()
    }

    /// Adds ids. Answers with the reply, or the reason why there are too many.
    pub(super) fn subscribe(
        &mut self,
        which: Which,
        ids: &[i64],
        feed: &Feed,
    ) -> Result<Value, String> {
        let set = self.set(which);
        let added = set.missing(ids);
        if added.is_empty() {
            let plural = which.plural();
            let message = format!("Already subscribed to all requested {plural}");
            return Ok(json!({ "message": message }));
        }
        if set.len() + added.len() > which.kind().most {
            return Err(which.kind().too_many());
        }
        set.extend(&added);
        let reply = json!({ which.subscribed(): set.as_slice() });
        if which == Which::Systems {
            self.preload_more(&added);
        }
        self.refilter(feed);
        Ok(reply)
    }

    /// Takes ids out. Answers with the reply.
    pub(super) fn unsubscribe(&mut self, which: Which, ids: &[i64], feed: &Feed) -> Value {
        let set = self.set(which);
        let removed = set.remove(ids);
        if removed.is_empty() {
            let plural = which.plural();
            return json!({ "message": format!("Not subscribed to any of the requested {plural}") });
        }
        let reply = json!({ which.subscribed(): set.as_slice() });
        if which == Which::Systems {
            self.give_up(&removed);
        }
        self.refilter(feed);
        reply
    }

    fn set(&mut self, which: Which) -> &mut IdSet {
        match which {
            Which::Systems => &mut self.systems,
            Which::Characters => &mut self.characters,
        }
    }

    fn give_up(&mut self, systems: &HashSet<i64>) {
        self.seam.forget_systems(systems);
        self.counts.forget(systems);
        if let Some(preload) = &mut self.preload {
            preload.leave_out(systems);
        }
    }

    fn preload_more(&mut self, systems: &[i64]) {
        if self.options.enabled && !systems.is_empty() {
            let options = self.options;
            let preload = self.preload.get_or_insert_with(|| Preload::new(options));
            preload.add(systems);
        }
    }

    /// Reads by the present ids from the cursor on; from now on where nothing was read before.
    fn refilter(&mut self, feed: &Feed) {
        let filter = filter(self.systems.as_slice(), self.characters.as_slice());
        if self.reader.filter().is_everything() {
            self.reader = feed.reader(None, filter);
        } else {
            self.reader.set_filter(filter);
        }
    }
}
