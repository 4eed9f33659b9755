//! What handlers share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::Admission;
use super::limits::Limits;
use super::phoenix::Lobby;
use super::probe::Probes;
use super::rate::RequestRate;
use super::stats;
use super::tls::Tls;
use super::wishing::Wishing;
use crate::feed::Feed;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::{ApiConfig, RetentionConfig};
use crate::store::Store;

/// Renders the Prometheus exposition.
#[derive(Clone)]
pub struct MetricsRenderer(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsRenderer {
    /// Wraps what renders the text.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }

    /// The exposition as of now.
    pub fn render(&self) -> String {
        (self.0)()
    }
}

impl fmt::Debug for MetricsRenderer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MetricsRenderer")
    }
}

/// What handlers share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiState {
    /// The feed.
    pub feed: Feed,
    /// The store.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The configuration's section.
    pub config: ApiConfig,
    /// Cancelled when connections have to end.
    pub shutdown: CancellationToken,
    /// What `/metrics` shows.
    pub metrics: MetricsRenderer,
    /// What only the service knows.
    pub probes: Probes,
    /// How long killmails are kept.
    pub retention: RetentionConfig,
    /// Limits.
    pub limits: Arc<Limits>,
    /// Who may come in.
    pub admission: Arc<Admission>,
    /// How often.
    pub rate: Arc<RequestRate>,
    /// The certificate, where this service speaks HTTPS.
    pub tls: Option<Tls>,
    /// Websocket sessions: they outlive the HTTP exchange that opened them, and shutdown waits for them.
    pub sessions: TaskTracker,
    /// What Phoenix connections share.
    pub phoenix: Arc<Lobby>,
    /// Open event streams.
    pub event_streams: Arc<AtomicUsize>,
    /// Who may want the past of systems, and how often.
    pub wishing: Arc<Wishing>,
    /// Answers of statistics.
    pub statistics: stats::Cache,
}

impl ApiState {
    /// State with the limits of `config`.
    pub fn new(
        feed: Feed,
        store: Store,
        clock: SharedClock,
        config: ApiConfig,
        metrics: MetricsRenderer,
        shutdown: CancellationToken,
    ) -> Self {
        let limits = Limits::from(&config);
        let rate = Arc::new(RequestRate::new(&limits, Arc::clone(&clock)));
        Self {
            phoenix: Arc::new(Lobby::new(clock.monotonic())),
            feed,
            store,
            clock,
            config,
            shutdown,
            metrics,
            probes: Probes::default(),
            retention: RetentionConfig::default(),
            admission: Arc::new(Admission::new(&limits)),
            rate,
            tls: None,
            limits: Arc::new(limits),
            sessions: TaskTracker::new(),
            event_streams: Arc::default(),
            wishing: Arc::default(),
            statistics: stats::Cache::default(),
        }
    }

    /// The same, asking there what only the service knows.
    #[must_use]
    pub fn with_probes(mut self, probes: Probes) -> Self {
        self.probes = probes;
        self
    }

    /// The same where killmails are not kept for ever.
    #[must_use]
    pub fn with_retention(mut self, retention: RetentionConfig) -> Self {
        self.retention = retention;
        self
    }

    /// The same where somebody reads the past that is wanted, or nobody does.
    #[must_use]
    pub fn with_preloading(mut self, is_on: bool) -> Self {
        self.wishing = Arc::new(Wishing::new(is_on));
        self
    }

    /// The same over HTTPS, where there is a certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.admission = Arc::new(Admission::new(&limits));
        self.rate = Arc::new(RequestRate::new(&limits, Arc::clone(&self.clock)));
        self.limits = Arc::new(limits);
        self
    }
}
