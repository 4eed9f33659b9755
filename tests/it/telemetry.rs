//! What a running service owes its operator: every metric of the documentation, with the values of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use wanderer_kills::runtime::telemetry::metric::{Kind, Metric};
use wanderer_kills::simulator::{Fault, FaultRule, Simulator, SimulatorConfig};

use crate::support::binary::ServiceCommand;
use crate::support::http::get;
use crate::support::listeners::Listener;
use crate::support::postgres;

/// The whole test ends by then, or fails.
const LIMIT: Duration = Duration::from_mins(2);
/// Killmails that the source has; the body of one of them does not exist.
const PUBLISHED: usize = 30;
const STORED: f64 = 29.0;
/// Fewer than are read, so that some are read from the database.
const RING_EVENTS: usize = 8;
/// What need not happen in this test: nobody subscribes, zKillboard is not asked for the past, and the database's disk
/// is not this service's; days are looked at ten minutes later.
const NOT_OWED: [Metric; 6] = [
    // A day is left alone for half a minute first.
    Metric::StatisticsDaySeconds,
    Metric::WebhookDeliverySeconds,
    Metric::HistoryWishesOpen,
    Metric::DiskFreeBytes,
    Metric::DaysLacking,
    // There is none.
    Metric::ReplicaInUse,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_tells_what_it_does() {
    tokio::time::timeout(LIMIT, run_once_and_read())
        .await
        .expect("the test came to its end");
}

async fn run_once_and_read() {
    let database = postgres::database().await;
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let published = simulator.publish(PUBLISHED);
    simulator.fault(FaultRule::sequence(published[1].sequence, Fault::NullBody));
    simulator.fault(FaultRule {
        path: format!("*/killmails/{}/*", published[1].killmail_id),
        sequence: None,
        times: None,
        fault: Fault::WrongHash,
    });
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_R2Z2_URL", simulator.r2z2_url())
        .env("WK_R2Z2_START", SimulatorConfig::default().first_sequence)
        .env("WK_ESI_URL", simulator.esi_url())
        .env("WK_SHIP_TYPES_URL", simulator.ship_types_url())
        .env("WK_R2Z2_INTERVAL_MS", 1)
        .env("WK_R2Z2_IDLE_MS", 20)
        .env("WK_RING_EVENTS", RING_EVENTS)
        .env("WK_FEED_POLL_MS", 50);
    let address = command.listen();
    let service = command.start().await;
    let listeners = [
        Listener::poll(address),
        Listener::sse(address),
        Listener::websocket(address),
    ];
    while listeners
        .iter()
        .any(|listener| listener.distinct() < PUBLISHED - 1)
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stored = published[0].killmail_id;
    for (path, status) in [
        (format!("/api/killmails/{stored}"), 200),
        ("/api/killmails/1".to_owned(), 404),
        ("/api/nonsense/95465499".to_owned(), 404),
        ("/api/killfeed?after=0".to_owned(), 200),
    ] {
        assert_eq!(get(address, &path).await.unwrap().status, status, "{path}");
    }

    let read = settled(address).await;
    check_ingest(&read);
    check_feed(&read);
    check_api(&read);
    check_process(&read);
    check_names(&read);
    drop(listeners);
    assert_eq!(service.terminate().await, Some(0));
    simulator.shutdown().await;
}

/// One reading of `/metrics`.
struct Reading {
    text: String,
    series: BTreeMap<String, f64>,
}

impl Reading {
    async fn take(address: SocketAddr) -> Self {
        let answer = get(address, "/metrics").await.unwrap();
        assert_eq!(answer.status, 200);
        let text = String::from_utf8(answer.body).unwrap();
        let series = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series.to_owned(), value.parse().unwrap())
            })
            .collect();
        Self { text, series }
    }

    /// A series without the common beginning of all names.
    fn value(&self, series: &str) -> Option<f64> {
        self.series
            .get(&format!("wanderer_kills_{series}"))
            .copied()
    }

    fn is(&self, series: &str, expected: f64) {
        let value = self.value(series);
        let equal = value.is_some_and(|value| (value - expected).abs() < f64::EPSILON);
        assert!(
            equal,
            "{series} is {value:?}, not {expected}\n{}",
            self.text
        );
    }

    fn positive(&self, series: &str) {
        let value = self.value(series);
        assert!(
            value.is_some_and(|value| value > 0.0),
            "{series} is {value:?}\n{}",
            self.text
        );
    }
}

/// Reads until the gauges, which are sampled, have caught up.
async fn settled(address: SocketAddr) -> Reading {
    loop {
        let reading = Reading::take(address).await;
        let readers = reading.value("feed_readers").unwrap_or_default();
        if readers >= 3.0 && reading.value("gaps_open{source=\"r2z2\"}").is_some() {
            return reading;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn check_ingest(read: &Reading) {
    read.is(
        "killmails_committed_total{source=\"r2z2\",outcome=\"new\"}",
        STORED,
    );
    read.is("lag_seconds_count{source=\"r2z2\"}", STORED);
    // A document that was read twice is committed as unchanged.
    let committed: f64 = ["new", "updated", "unchanged"]
        .iter()
        .filter_map(|outcome| {
            read.value(&format!(
                "killmails_committed_total{{source=\"r2z2\",outcome=\"{outcome}\"}}"
            ))
        })
        .sum();
    read.is("batch_killmails_sum{source=\"r2z2\"}", committed);
    read.positive("commit_seconds_count{source=\"r2z2\"}");
    read.positive("publication_lag_seconds_count{source=\"r2z2\"}");
    read.is("dead_letters_total{source=\"r2z2\",code=\"no_body\"}", 1.0);
    read.is("ingest_leader", 1.0);
    read.is("gaps_open{source=\"r2z2\"}", 0.0);
    assert!(
        read.value("source_lag_documents{source=\"r2z2\"}")
            .is_some()
    );
    for cache in ["names", "types", "systems"] {
        read.positive(&format!("cache_misses_total{{cache=\"{cache}\"}}"));
    }
    read.positive("upstream_requests_total{host=\"r2z2\",outcome=\"ok\"}");
}

fn check_feed(read: &Reading) {
    read.is("feed_head", STORED);
    read.is("ring_events", 8.0);
    read.is("ring_floor", STORED - 8.0);
    read.positive("reader_lag_events_count");
    read.positive("ring_bytes");
    read.positive("feed_database_reads_total");
}

fn check_api(read: &Reading) {
    for (route, status) in [
        ("/api/killmails/{id}", "2xx"),
        ("/api/killmails/{id}", "4xx"),
        ("none", "4xx"),
    ] {
        read.is(
            &format!("http_requests_total{{route=\"{route}\",status=\"{status}\"}}"),
            1.0,
        );
    }
    read.positive("http_requests_total{route=\"/api/killfeed\",status=\"2xx\"}");
    read.positive("http_requests_total{route=\"/ping\",status=\"2xx\"}");
    read.is(
        "http_request_seconds_count{route=\"/api/killmails/{id}\"}",
        2.0,
    );
    read.is("websocket_connections{protocol=\"json\"}", 1.0);
    read.is("sse_connections", 1.0);
    read.positive("http_connections");
    for protocol in ["json", "sse"] {
        read.positive(&format!(
            "send_lag_seconds_count{{protocol=\"{protocol}\"}}"
        ));
    }
}

/// What is looked at now and then, and what is there before it has happened.
fn check_process(read: &Reading) {
    read.positive("database_connections_max{pool=\"primary\"}");
    read.positive(concat!(
        "build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"}"
    ));
    for name in [
        "resident_memory_bytes",
        "open_fds",
        "max_fds",
        "start_time_seconds",
    ] {
        let value = read.series.get(&format!("process_{name}"));
        assert!(value.is_some_and(|value| *value > 0.0), "{name}: {value:?}");
    }
    for series in [
        "webhooks{state=\"paused\"}",
        "webhooks_paused_total",
        "backfill_days_total{source=\"everef\",outcome=\"failed\"}",
        "dead_letters_total{source=\"redisq\",code=\"not_json\"}",
        "http_refused_total{reason=\"requests\"}",
        "upstream_breaker_open{host=\"r2z2\"}",
        "esi_downtime",
    ] {
        read.is(series, 0.0);
    }
}

/// Names, kinds and labels are those of the documentation, and none is missing.
fn check_names(read: &Reading) {
    let needless = |line: &str| NOT_OWED.iter().any(|it| line.starts_with(it.name()));
    let typed: BTreeSet<&str> = read
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter(|line| !needless(line))
        .collect();
    let owed: BTreeSet<String> = Metric::ALL
        .iter()
        .filter(|metric| !NOT_OWED.contains(metric))
        .map(|metric| format!("{} {}", metric.name(), metric.description().kind.name()))
        .collect();
    assert_eq!(typed, owed.iter().map(String::as_str).collect());
    for series in read.series.keys() {
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let is_of = |metric: &&Metric| match metric.description().kind {
            Kind::Counter | Kind::Gauge => name == metric.name(),
            Kind::Histogram => name
                .strip_prefix(metric.name())
                .is_some_and(|end| ["_bucket", "_sum", "_count"].contains(&end)),
        };
        let named = Metric::ALL.iter().find(is_of);
        let named = named.unwrap_or_else(|| panic!("{series} is not documented"));
        let metric = named.description();
        let labels = labels.strip_suffix('}').unwrap().split("\",");
        let pairs: Vec<(&str, &str)> = labels
            .filter_map(|label| label.split_once('='))
            .filter(|(label, _)| *label != "le")
            .collect();
        for (label, value) in &pairs {
            let known = named.values(label);
            let is_known = known.is_none_or(|known| known.contains(&value.trim_matches('"')));
            assert!(is_known, "{series}: nobody knows of {value}");
        }
        let found: BTreeSet<&str> = pairs.into_iter().map(|(label, _)| label).collect();
        let documented: BTreeSet<&str> = metric.labels.iter().copied().collect();
        assert_eq!(found, documented, "{series}");
    }
}
