//! The metrics that our services export, named as exposed.

mod table;

pub use table::*;

/// A metric of ours. Every series is initialised to zero at start, for each combination of closed label values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Name as exposed, suffix and unit included; a histogram adds `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// What a value counts or measures.
    pub unit: Unit,
    /// Labels of the service itself, in order; those that scraping adds are not listed.
    pub labels: &'static [Label],
    /// What it tells, as in `# HELP`.
    pub help: &'static str,
    /// App ids of the services that export it.
    pub exported_by: &'static [&'static str],
    /// Whether every replica reads the value from the same table: take `max`, never `sum`, over replicas.
    pub shared_by_replicas: bool,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricKind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution over buckets.
    Histogram {
        /// Upper bounds in the metric's unit, ascending, without `+Inf`.
        buckets: &'static [f64],
    },
}

impl MetricKind {
    /// The type as in `# TYPE`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram { .. } => "histogram",
        }
    }
}

/// What a value counts or measures. Base units only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number of things.
    Count,
    /// Seconds; the name says `_seconds`.
    Seconds,
    /// Bytes; the name says `_bytes`.
    Bytes,
    /// Seconds since 1970-01-01 UTC; the name says `_timestamp_seconds` or `_time_seconds`.
    UnixSeconds,
    /// 0 or 1.
    Boolean,
}

/// A label with the values that it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Name as exposed.
    pub name: &'static str,
    /// The values.
    pub values: LabelValues,
}

/// The values that a label may take: closed, so that the number of series is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelValues {
    /// Exactly these.
    Closed(&'static [&'static str]),
    /// The topics that the exporting service consumes.
    ConsumedTopics,
    /// The topics that the exporting service publishes to.
    PublishedTopics,
    /// The path templates of the exporting service, and `unmatched`.
    Routes,
    /// HTTP status codes that the service answers with, three digits each.
    StatusCodes,
    /// One value, fixed when the binary was built.
    Build,
}

impl LabelValues {
    /// The values, where the catalogue lists them.
    pub const fn closed(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Closed(values) => Some(values),
            _ => None,
        }
    }
}

impl Metric {
    /// Whether this metric exposes a series of this name.
    pub fn exposes(&self, series: &str) -> bool {
        match self.kind {
            MetricKind::Counter | MetricKind::Gauge => series == self.name,
            MetricKind::Histogram { .. } => series
                .strip_prefix(self.name)
                .is_some_and(|suffix| HISTOGRAM_SUFFIXES.contains(&suffix)),
        }
    }

    /// The names of the series that it exposes.
    pub fn series(&self) -> Vec<String> {
        match self.kind {
            MetricKind::Counter | MetricKind::Gauge => vec![self.name.to_owned()],
            MetricKind::Histogram { .. } => HISTOGRAM_SUFFIXES
                .iter()
                .map(|suffix| format!("{}{suffix}", self.name))
                .collect(),
        }
    }

    /// The label of this name.
    pub fn label(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|it| it.name == name)
    }
}

/// What a histogram appends to its name; `_bucket` alone carries the label `le`.
pub const HISTOGRAM_SUFFIXES: &[&str] = &["_bucket", "_sum", "_count"];

const fn counter(name: &'static str, labels: &'static [Label], exported_by: &'static [&'static str]) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels,
        help: "",
        exported_by,
        shared_by_replicas: false,
    }
}

const fn gauge(
    name: &'static str,
    unit: Unit,
    labels: &'static [Label],
    exported_by: &'static [&'static str],
) -> Metric {
    Metric {
        kind: MetricKind::Gauge,
        unit,
        ..counter(name, labels, exported_by)
    }
}

/// A gauge that every replica reads from the same table.
const fn table_gauge(
    name: &'static str,
    unit: Unit,
    labels: &'static [Label],
    exported_by: &'static [&'static str],
) -> Metric {
    Metric {
        shared_by_replicas: true,
        ..gauge(name, unit, labels, exported_by)
    }
}

const fn seconds(
    name: &'static str,
    buckets: &'static [f64],
    labels: &'static [Label],
    exported_by: &'static [&'static str],
) -> Metric {
    Metric {
        kind: MetricKind::Histogram { buckets },
        unit: Unit::Seconds,
        ..counter(name, labels, exported_by)
    }
}
