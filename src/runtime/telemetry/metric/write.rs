//! The one door to the recorder. Label values come from small sets that the code knows: no ids, no paths.

use metrics::Label;

use super::Metric;

/// A label's name and value.
type Labelled<'a> = (&'static str, &'a str);

fn labels(labels: &[Labelled<'_>]) -> Vec<Label> {
    labels
        .iter()
        .map(|(name, value)| Label::new(*name, (*value).to_owned()))
        .collect()
}

/// Adds to a counter.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn count(metric: Metric, by: u64, labelled: &[Labelled<'_>]) {
    metrics::counter!(metric.name(), labels(labelled)).increment(by);
}

/// Sets a gauge.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn set(metric: Metric, value: f64, labelled: &[Labelled<'_>]) {
    metrics::gauge!(metric.name(), labels(labelled)).set(value);
}

/// Sets a gauge to a whole number.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53, and a gauge has no other type"
)]
pub fn set_count(metric: Metric, number: impl TryInto<i64>, labelled: &[Labelled<'_>]) {
    set(
        metric,
        number.try_into().unwrap_or(i64::MAX) as f64,
        labelled,
    );
}

/// Moves a gauge by `difference`, up or down.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn add(metric: Metric, difference: f64, labelled: &[Labelled<'_>]) {
    metrics::gauge!(metric.name(), labels(labelled)).increment(difference);
}

/// Records a value in a histogram.
#[expect(
    clippy::disallowed_macros,
    reason = "the one door to the metrics macros"
)]
pub fn record(metric: Metric, value: f64, labelled: &[Labelled<'_>]) {
    metrics::histogram!(metric.name(), labels(labelled)).record(value);
}
