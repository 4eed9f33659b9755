//! A simulator with a past, a database, and a preloader between them that is driven step by step, on a clock
//! whose waits pass at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wanderer_kills::domain::{HistoryKey, Parsed};
use wanderer_kills::ingest::Pipeline;
use wanderer_kills::ingest::live::EsiBodies;
use wanderer_kills::ingest::preloader::{PreloaderDeps, round};
use wanderer_kills::ingest::resolver::Resolver;
use wanderer_kills::runtime::clock::{Clock, SharedClock, TestClock};
use wanderer_kills::runtime::config::{IngestConfig, PreloadConfig};
use wanderer_kills::simulator::{Simulator, SimulatorConfig};
use wanderer_kills::store::history_wishes::{self, RequestedBy, Wish};
use wanderer_kills::upstream::esi::EsiClient;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};
use wanderer_kills::upstream::zkb::list::{Page, Window};
use wanderer_kills::upstream::zkb::rest::ZkbRest;

use super::enriching::{FAST, Tables};

pub(crate) fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

/// Everything around a preloader.
pub(crate) struct Scene {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) simulator: Simulator,
    pub(crate) tables: Tables,
    pub(crate) deps: PreloaderDeps,
    config: SimulatorConfig,
    pipeline: AbortOnDropHandle<anyhow::Result<()>>,
}

/// A killmail's id and time.
pub(crate) type Kill = (i64, DateTime<Utc>);

/// Pages that are read of a list: the last one has less than half of 200.
pub(crate) fn pages(killmails: usize) -> usize {
    (killmails + 100) / 200 + 1
}

fn http(clock: SharedClock) -> HttpClient {
    let settings = HttpSettings {
        longest_stall: Some(Duration::from_secs(5)),
        ..HttpSettings::default()
    };
    HttpClient::new(&settings, clock).unwrap()
}

/// A past of so many days with so many killmails each.
pub(crate) fn past(days: u32, per_day: u32) -> SimulatorConfig {
    SimulatorConfig {
        history_days: days,
        history_per_day: per_day,
        keep: 100_000,
        ..SimulatorConfig::default()
    }
}

impl Scene {
    pub(crate) async fn new(config: SimulatorConfig) -> Self {
        let clock = TestClock::at(start_time());
        let config = SimulatorConfig {
            start_time: Some(start_time()),
            clock: clock.clone(),
            ..config
        };
        let simulator = Simulator::start(config.clone()).await.unwrap();
        let tables = Tables::new().await;
        let (deps, pipeline) = preloader(&tables, &simulator, &clock);
        Self {
            clock,
            simulator,
            tables,
            deps,
            config,
            pipeline,
        }
    }

    /// What a process has after its start; what the former had under way is lost.
    pub(crate) fn restart(&mut self) {
        let (deps, pipeline) = preloader(&self.tables, &self.simulator, &self.clock);
        self.deps = deps;
        drop(std::mem::replace(&mut self.pipeline, pipeline));
    }

    /// Wants the past of an entity.
    pub(crate) async fn wish(&self, key: HistoryKey, past: TimeDelta) {
        let (pool, now) = (&self.tables.store.pool, self.clock.now());
        let taken = history_wishes::request(pool, key, now - past, RequestedBy::Api, now).await;
        assert!(taken.unwrap());
    }

    pub(crate) async fn row(&self, key: HistoryKey) -> Wish {
        let row = history_wishes::get(&self.tables.store.pool, key).await;
        row.unwrap().unwrap()
    }

    /// One page, where one is due.
    pub(crate) async fn round(&self) -> bool {
        round(&self.deps).await.unwrap()
    }

    /// Everything that is due. Returns how often something was.
    pub(crate) async fn rounds(&self) -> usize {
        let mut rounds = 0;
        while self.round().await {
            rounds += 1;
            assert!(rounds < 1_000, "there is no end to it");
        }
        rounds
    }

    /// Everything that is due within a time, minute by minute.
    pub(crate) async fn rounds_within(&self, time: TimeDelta) {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            if !self.round().await {
                self.clock.advance(Duration::from_mins(1));
            }
        }
    }

    /// Requests for lists, in order.
    pub(crate) fn asked(&self) -> Vec<(DateTime<Utc>, String)> {
        let requests = self.simulator.requests().into_iter();
        requests
            .filter(|request| request.path.starts_with("/zkb/"))
            .map(|request| (request.time, request.path))
            .collect()
    }

    /// Fails where zKillboard was asked more than once a second.
    pub(crate) fn assert_polite(&self) {
        let asked = self.asked();
        for pair in asked.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= TimeDelta::seconds(1), "{pair:?}");
        }
    }

    /// What an entity's list holds of a span, according to another simulator with the same past.
    pub(crate) async fn expected(&self, key: HistoryKey, since: DateTime<Utc>) -> Vec<Kill> {
        let clock = TestClock::at(start_time());
        let twin = Simulator::start(SimulatorConfig {
            clock: clock.clone(),
            zkb_with_body: true,
            zkb_embargo: Duration::ZERO,
            ..self.config.clone()
        })
        .await
        .unwrap();
        let zkb = ZkbRest::new(http(clock), twin.zkb_url());
        let mut found = Vec::new();
        let mut month = start_time().date_naive();
        while month + TimeDelta::days(31) > since.date_naive() {
            for page in 1.. {
                let page = zkb.page(key, Window::Month(month), page).await.unwrap();
                if page.elements.is_empty() {
                    break;
                }
                found.extend(kills(&page));
            }
            month = month - chrono::Months::new(1);
        }
        found.retain(|(_, time)| *time >= since);
        found.sort_unstable();
        found
    }

    /// Fails where one of these is not stored.
    pub(crate) async fn assert_stored(&self, expected: &[Kill]) {
        let stored = self.stored().await;
        let missing: Vec<&Kill> = (expected.iter())
            .filter(|(id, _)| !stored.contains(id))
            .collect();
        assert!(
            missing.is_empty(),
            "{} of {} missing: {missing:?}",
            missing.len(),
            expected.len()
        );
    }

    pub(crate) async fn stored(&self) -> BTreeSet<i64> {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT killmail_id FROM killmails")
            .fetch_all(&self.tables.store.pool)
            .await
            .unwrap();
        ids.into_iter().collect()
    }
}

fn kills(page: &Page) -> Vec<Kill> {
    let of = |parsed: &Option<Parsed>| match parsed {
        Some(Parsed::Killmail(it)) => (it.killmail_id, it.killmail_time),
        other => panic!("{other:?}"),
    };
    page.elements.iter().map(|it| of(&it.parsed)).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test is the supervisor of these tasks"
)]
fn preloader(
    tables: &Tables,
    simulator: &Simulator,
    clock: &Arc<TestClock>,
) -> (PreloaderDeps, AbortOnDropHandle<anyhow::Result<()>>) {
    let http = http(clock.clone());
    let esi = EsiClient::with_pace(http.clone(), simulator.esi_url(), FAST);
    let (input, driver) = Pipeline {
        store: tables.store.clone(),
        config: IngestConfig::default(),
        clock: clock.clone(),
        resolver: Resolver::local(tables.store.clone(), clock.clone()),
        bodies: Some(Arc::new(EsiBodies::new(esi))),
        fence: None,
    }
    .start(CancellationToken::new());
    let deps = PreloaderDeps {
        store: tables.store.clone(),
        clock: clock.clone(),
        zkb: ZkbRest::new(http, simulator.zkb_url()),
        input,
        preload: PreloadConfig::default(),
    };
    (deps, AbortOnDropHandle::new(tokio::spawn(driver)))
}
