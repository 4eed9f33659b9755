//! What is known about a metric beside its values.

/// What a metric is in Prometheus' terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Values sorted into buckets.
    Histogram,
}

impl Kind {
    /// The word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Description {
    /// What its values are counted in, as its name says.
    pub fn unit(&self) -> metrics::Unit {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        if name.ends_with("_seconds") {
            metrics::Unit::Seconds
        } else if name.ends_with("_bytes") {
            metrics::Unit::Bytes
        } else {
            metrics::Unit::Count
        }
    }
}

/// What is known about a metric beside its values.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// The name in Prometheus' exposition.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Its labels, each with few values.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

pub(super) const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Description {
    Description {
        name,
        kind: Kind::Counter,
        labels,
        help,
    }
}

pub(super) const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Description {
    Description {
        name,
        kind: Kind::Gauge,
        labels,
        help,
    }
}

pub(super) const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Description {
    Description {
        name,
        kind: Kind::Histogram,
        labels,
        help,
    }
}
