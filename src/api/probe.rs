//! What the service knows of itself and `api` can't find out: asked when it is shown.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Somebody to ask. The default knows nothing. Cheap to clone.
#[derive(Clone)]
pub struct Probe<T>(Arc<dyn Fn() -> Option<T> + Send + Sync>);

impl<T> Probe<T> {
    /// Wraps who knows.
    pub fn new(ask: impl Fn() -> Option<T> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// The answer as of now; `None` where nobody knows.
    pub fn ask(&self) -> Option<T> {
        (self.0)()
    }
}

impl<T> Default for Probe<T> {
    fn default() -> Self {
        Self::new(|| None)
    }
}

impl<T> fmt::Debug for Probe<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Probe")
    }
}

/// What keeps this process from its live source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveObstacle {
    /// A word for it, shown as it is.
    pub reason: &'static str,
    /// When the source is asked again, at the earliest.
    pub until: DateTime<Utc>,
}

/// How the live source stands with this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveStanding {
    /// The source's name in storage.
    pub source: &'static str,
    /// What is in the way, where this process follows it.
    pub obstacle: Option<LiveObstacle>,
    /// When this process last had an answer of it, or began to follow it; `None` where another process follows it.
    pub last_answer: Option<DateTime<Utc>>,
}

/// What health asks of the service beside the database.
#[derive(Debug, Clone, Default)]
pub struct Probes {
    /// The live source; nothing where none is followed.
    pub live: Probe<LiveStanding>,
    /// Whether ESI can be asked for names now; nothing where it never is.
    pub esi: Probe<bool>,
    /// The disk under the private database; nothing where the database is elsewhere.
    pub disk: Probe<crate::runtime::disk::Space>,
}
