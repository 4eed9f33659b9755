//! Metrics as Prometheus reads them.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::metric::{self, Kind, Metric};

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper bounds for durations: a memory look-up, a query, a slow server, a stuck one.
const SECONDS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0,
];
/// Upper bounds for the age of a kill: live within minutes, history days.
const LAG_SECONDS: [f64; 9] = [5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 86400.0];
/// Upper bounds for the way from a commit to a client: within milliseconds while it keeps up.
const SEND_SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 10.0, 60.0, 3600.0,
];
/// Upper bounds for how far a reader is behind: at the head, within the ring, beyond it.
const EVENTS: [f64; 8] = [1.0, 5.0, 20.0, 100.0, 500.0, 2000.0, 10_000.0, 100_000.0];
/// Upper bounds for the size of a batch.
const KILLMAILS: [f64; 7] = [1.0, 5.0, 20.0, 50.0, 100.0, 250.0, 500.0];

/// Starts to collect metrics. Calling it again changes nothing. Where a host program has a recorder of its own,
/// metrics go there and [`render`] stays empty.
///
/// # Errors
/// When the recorder cannot be built.
pub fn install() -> Result<(), metrics_exporter_prometheus::BuildError> {
    if HANDLE.get().is_some() {
        return Ok(());
    }
    let mut builder = PrometheusBuilder::new().set_buckets(&SECONDS)?;
    for (metric, buckets) in [
        (Metric::LagSeconds, LAG_SECONDS.as_slice()),
        (Metric::PublicationLagSeconds, LAG_SECONDS.as_slice()),
        (Metric::SendLagSeconds, SEND_SECONDS.as_slice()),
        (Metric::ReaderLagEvents, EVENTS.as_slice()),
        (Metric::BatchKillmails, KILLMAILS.as_slice()),
    ] {
        builder =
            builder.set_buckets_for_metric(Matcher::Full(metric.name().to_owned()), buckets)?;
    }
    let recorder = builder.build_recorder();
    if HANDLE.set(recorder.handle()).is_ok() {
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::info!("metrics go to the recorder of the host program");
        }
        describe();
        metric::precreate();
    }
    Ok(())
}

/// Everything that was collected, in Prometheus' text format; empty before [`install`].
pub fn render() -> String {
    HANDLE.get().map_or_else(String::new, |handle| {
        handle.run_upkeep();
        handle.render()
    })
}

fn describe() {
    for metric in Metric::ALL {
        let description = metric.description();
        let (name, unit, help) = (description.name, description.unit(), description.help);
        match description.kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_rendered() {
        install().unwrap();
        install().unwrap();
        metric::count(
            Metric::DeadLetters,
            3,
            &[("source", "test"), ("code", "bad_json")],
        );
        metric::record(Metric::LagSeconds, 7.0, &[("source", "test")]);
        let text = render();
        assert!(
            text.contains("wanderer_kills_dead_letters_total{source=\"test\",code=\"bad_json\"} 3"),
            "{text}"
        );
        assert!(
            text.contains("# TYPE wanderer_kills_lag_seconds histogram"),
            "{text}"
        );
        assert!(
            text.contains("# HELP wanderer_kills_lag_seconds "),
            "{text}"
        );
    }
}
