//! One metric with all its series.

use catalogue::{Catalogue, Metric, MetricKind, Service};
use prometheus::{
    CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    core::Collector,
};

use crate::labels::AllowedValues;

/// A registered metric.
pub(crate) struct Family {
    metric: Metric,
    /// What each label may be, in the order of [`Metric::labels`].
    allowed: Vec<AllowedValues>,
    series: Series,
}

enum Series {
    Counter(IntCounterVec),
    /// Only `process_cpu_seconds_total`: a count of parts of seconds that the kernel keeps.
    FractionalCounter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

impl Family {
    /// Registers the metric and begins every series that is known in advance at zero.
    pub(crate) fn register(metric: &Metric, service: &Service, catalogue: &Catalogue, registry: &Registry) -> Self {
        let family = Self {
            metric: *metric,
            allowed: metric
                .labels
                .iter()
                .map(|it| AllowedValues::of(it, service, catalogue))
                .collect(),
            series: Series::new(metric),
        };
        registry
            .register(family.series.collector())
            .unwrap_or_else(|error| panic!("`{}` can be registered: {error}", metric.name));
        for values in combinations(&family.allowed) {
            family.series.begin(&values);
        }
        if metric.name == catalogue::metrics::BUILD_INFO.name {
            let values = combinations(&family.allowed)
                .pop()
                .expect("a build has one version and revision");
            family.gauge(&values).set(1.0);
        }
        family
    }

    pub(crate) fn counter(&self, values: &[&str]) -> IntCounter {
        match &self.series {
            Series::Counter(counters) => counters.with_label_values(self.checked(values)),
            _ => panic!("`{}` is no counter", self.metric.name),
        }
    }

    pub(crate) fn fractional_counter(&self) -> prometheus::Counter {
        match &self.series {
            Series::FractionalCounter(counters) => counters.with_label_values::<&str>(&[]),
            _ => panic!("`{}` is no counter of fractions", self.metric.name),
        }
    }

    pub(crate) fn gauge(&self, values: &[&str]) -> Gauge {
        match &self.series {
            Series::Gauge(gauges) => gauges.with_label_values(self.checked(values)),
            _ => panic!("`{}` is no gauge", self.metric.name),
        }
    }

    pub(crate) fn histogram(&self, values: &[&str]) -> Histogram {
        match &self.series {
            Series::Histogram(histograms) => histograms.with_label_values(self.checked(values)),
            _ => panic!("`{}` is no histogram", self.metric.name),
        }
    }

    pub(crate) fn allows(&self, label: &str, value: &str) -> bool {
        let at = self.metric.labels.iter().position(|it| it.name == label);
        let at = at.unwrap_or_else(|| panic!("`{}` has no label `{label}`", self.metric.name));
        self.allowed[at].contains(value)
    }

    /// What the text format says of a metric without series.
    pub(crate) fn header(&self) -> String {
        let Metric { name, help, kind, .. } = &self.metric;
        format!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.as_str())
    }

    fn checked<'v, 's>(&self, values: &'v [&'s str]) -> &'v [&'s str] {
        let Metric { name, labels, .. } = &self.metric;
        assert!(values.len() == labels.len(), "`{name}` has {} labels", labels.len());
        for ((label, allowed), value) in labels.iter().zip(&self.allowed).zip(values) {
            assert!(
                allowed.contains(value),
                "label `{}` of `{name}` may not be `{value}`",
                label.name
            );
        }
        values
    }
}

impl Series {
    fn new(metric: &Metric) -> Self {
        let labels: Vec<&str> = metric.labels.iter().map(|it| it.name).collect();
        let options = Opts::new(metric.name, metric.help);
        let made = match metric.kind {
            MetricKind::Counter if metric.name == catalogue::metrics::PROCESS_CPU_SECONDS_TOTAL.name => {
                CounterVec::new(options, &labels).map(Self::FractionalCounter)
            }
            MetricKind::Counter => IntCounterVec::new(options, &labels).map(Self::Counter),
            MetricKind::Gauge => GaugeVec::new(options, &labels).map(Self::Gauge),
            MetricKind::Histogram { buckets } => {
                HistogramVec::new(HistogramOpts::from(options).buckets(buckets.to_vec()), &labels).map(Self::Histogram)
            }
        };
        made.unwrap_or_else(|error| panic!("`{}` is a valid metric: {error}", metric.name))
    }

    fn collector(&self) -> Box<dyn Collector> {
        match self {
            Self::Counter(it) => Box::new(it.clone()),
            Self::FractionalCounter(it) => Box::new(it.clone()),
            Self::Gauge(it) => Box::new(it.clone()),
            Self::Histogram(it) => Box::new(it.clone()),
        }
    }

    /// Makes the series exist.
    fn begin(&self, values: &[&str]) {
        match self {
            Self::Counter(it) => drop(it.with_label_values(values)),
            Self::FractionalCounter(it) => drop(it.with_label_values(values)),
            Self::Gauge(it) => drop(it.with_label_values(values)),
            Self::Histogram(it) => drop(it.with_label_values(values)),
        }
    }
}

/// Every combination of label values that is known in advance: one of nothing for a metric without labels, none when
/// a label's values are only known in use.
fn combinations(allowed: &[AllowedValues]) -> Vec<Vec<&'static str>> {
    allowed.iter().fold(vec![Vec::new()], |combinations, label| {
        let mut longer = Vec::new();
        for combination in &combinations {
            for value in label.known_in_advance() {
                longer.push([&combination[..], &[*value]].concat());
            }
        }
        longer
    })
}
