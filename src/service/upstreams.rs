use std::sync::Arc;

use anyhow::Context as _;
use url::Url;

use crate::ingest::backfill::Source;
use crate::ingest::backfill::jobs::JobSources;
use crate::ingest::live::EsiBodies;
use crate::ingest::pipeline::FetchBody;
use crate::ingest::reference_data::ReferenceDataDeps;
use crate::ingest::resolver::Resolver;
use crate::runtime::clock::SharedClock;
use crate::runtime::config::{Config, UpstreamConfig};
use crate::runtime::supervisor::Supervisor;
use crate::store::Store;
use crate::upstream::esi::{EsiClient, EsiPace};
use crate::upstream::everef::EveRef;
use crate::upstream::http::{HttpClient, HttpSettings};
use crate::upstream::zkb::history::History;
use crate::upstream::zkb::rest::ZkbRest;

/// Whom this service may ask, and for what. A server that is somebody else's is left out where the
/// configuration names no contact.
#[derive(Debug)]
pub(super) struct Upstreams {
    /// The one client of all outgoing requests.
    pub(super) http: HttpClient,
    /// What ids mean.
    pub(super) resolver: Resolver,
    /// Bodies of killmails.
    pub(super) bodies: Arc<dyn FetchBody>,
    /// Values that a source did not have, and the past. One client, so that they share its budget.
    pub(super) zkb: Option<ZkbRest>,
    /// Ship types and systems.
    pub(super) reference_data: Option<ReferenceDataDeps>,
    /// Days of history.
    pub(super) history: JobSources,
}

/// How outgoing requests behave.
pub(super) fn http_settings(upstream: &UpstreamConfig) -> HttpSettings {
    HttpSettings {
        user_agent: upstream.user_agent(),
        longest_stall: Some(upstream.timeout()),
        ..HttpSettings::default()
    }
}

impl Upstreams {
    pub(super) fn new(
        config: &Config,
        store: &Store,
        clock: &SharedClock,
        supervisor: &Supervisor,
    ) -> anyhow::Result<Self> {
        let upstream = &config.upstream;
        let http = HttpClient::new(&http_settings(upstream), Arc::clone(clock))
            .context("preparing the HTTP client")?;
        let pace = EsiPace {
            all: upstream.esi_interval(),
            names: upstream.esi_interval() * 2,
            ..EsiPace::default()
        };
        let esi = EsiClient::with_pace(http.clone(), upstream.esi_url.clone(), pace);
        let resolver = if upstream.may_ask(&upstream.esi_url).is_ok() {
            let (resolver, asking) = Resolver::with_esi(
                store.clone(),
                Arc::clone(clock),
                esi.clone(),
                supervisor.token(),
            );
            supervisor.spawn("resolver", asking);
            resolver
        } else {
            tracing::info!(
                "without WK_CONTACT nobody is asked for names: they come from the tables alone"
            );
            Resolver::local(store.clone(), Arc::clone(clock))
        };
        let zkb = (upstream.may_ask(&upstream.zkb_url).is_ok())
            .then(|| ZkbRest::new(http.clone(), upstream.zkb_url.clone()));
        let origin = &upstream.ship_types_url;
        let reference_data = upstream.may_ask(origin).is_ok().then(|| ReferenceDataDeps {
            store: store.clone(),
            clock: Arc::clone(clock),
            http: http.clone(),
            origin: origin.clone(),
        });
        Ok(Self {
            resolver,
            bodies: Arc::new(EsiBodies::new(esi)),
            zkb,
            reference_data,
            history: history(config, &http),
            http,
        })
    }
}

/// Where backfills that are asked for may get days from.
fn history(config: &Config, http: &HttpClient) -> JobSources {
    let (upstream, live) = (&config.upstream, &config.live);
    let allowed = |url: &Url| upstream.may_ask(url).map_err(|error| error.to_string());
    JobSources {
        everef: allowed(&upstream.everef_url)
            .map(|()| Source::everef(EveRef::new(http.clone(), upstream.everef_url.clone()))),
        r2z2: allowed(&live.r2z2_url).map(|()| {
            let (interval, idle) = (live.interval(), live.idle());
            Source::history(History::new(
                http.clone(),
                live.r2z2_url.clone(),
                interval,
                idle,
            ))
        }),
    }
}
