//! One cache: what it holds, how much and how long.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

const UNKNOWN_FOR: Duration = Duration::from_mins(1);
/// An entry's key, value, and share of the cache's own tables, its texts not counted.
const ENTRY: usize = 250;

/// Whether an id is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Resting,
    GivenUp,
}

#[derive(Debug)]
pub(super) struct Entry<V> {
    pub(super) value: Option<Arc<V>>,
    pub(super) standing: Standing,
    lasting: bool,
    texts: usize,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            ..*self
        }
    }
}

pub(super) fn entry<V>(
    value: Option<Arc<V>>,
    standing: Standing,
    lasting: bool,
    texts: usize,
) -> Entry<V> {
    Entry {
        value,
        standing,
        lasting,
        texts,
    }
}

/// Puts an entry in. One that knows nothing leaves an answer alone that has come meanwhile.
pub(super) async fn put<K, V>(cache: &Cache<K, Entry<V>>, key: K, entry: Entry<V>)
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    if entry.value.is_some() || entry.standing != Standing::Open {
        cache.insert(key, entry).await;
    } else {
        cache.entry(key).or_insert(entry).await;
    }
}

pub(super) fn cache<K, V>(bytes: u64, known_for: Duration) -> Cache<K, Entry<V>>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|_, entry: &Entry<V>| u32::try_from(ENTRY + entry.texts).unwrap_or(u32::MAX))
        .expire_after(Lifetime { known_for })
        .build()
}

/// How long an entry lives: unknown ones shortly.
#[derive(Debug)]
struct Lifetime {
    known_for: Duration,
}

impl Lifetime {
    fn of<V>(&self, entry: &Entry<V>) -> Duration {
        if entry.lasting {
            self.known_for
        } else {
            UNKNOWN_FOR
        }
    }
}

impl<K, V> Expiry<K, Entry<V>> for Lifetime {
    fn expire_after_create(&self, _: &K, entry: &Entry<V>, _: Instant) -> Option<Duration> {
        Some(self.of(entry))
    }

    fn expire_after_update(
        &self,
        _: &K,
        entry: &Entry<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(entry))
    }
}
