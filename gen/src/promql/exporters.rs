//! The metrics that exist: those of our services, and the closed lists of the exporters beside them.

use crate::resolve::Environment;
use crate::spec::Part;
use crate::spec::secrets::Secrets;
use catalogue::{Catalogue, MetricKind};
use std::collections::{BTreeMap, BTreeSet};

/// An exporter with the closed list of its metrics.
struct Exporter {
    /// What it is called in prose.
    name: &'static str,
    /// The list, as in `gen/data/`.
    list: &'static str,
    /// Whether an environment has it.
    is_here: fn(&Environment) -> bool,
}

macro_rules! exporter {
    ($name:literal, $file:literal, $is_here:expr) => {
        Exporter {
            name: $name,
            list: include_str!(concat!("../../data/", $file)),
            is_here: $is_here,
        }
    };
}

const EXPORTERS: &[Exporter] = &[
    exporter!("cAdvisor", "cadvisor@0.52.1.txt", |_| true),
    // Nothing here installs it; the list is kept so that an alert on it is told why it would never fire.
    exporter!("cert-manager", "cert-manager@1.19.1.txt", |_| false),
    exporter!("CloudNativePG", "cloudnative-pg@1.28.0.txt", |env| env
        .postgres
        .cluster
        .is_some()),
    exporter!("controller-runtime", "controller-runtime@0.24.0.txt", |_| true),
    exporter!("Dapr", "dapr@1.18.3.txt", |env| env.dapr.is_some()),
    exporter!("External Secrets", "external-secrets@0.20.4.txt", |env| matches!(
        env.secrets,
        Secrets::ExternalSecrets(_)
    )),
    exporter!("Flux", "flux@2.9.txt", |_| true),
    exporter!("kafka-exporter", "kafka-exporter@1.9.0.txt", |_| true),
    exporter!("KEDA", "keda@2.20.2.txt", |env| env.autoscaler.has_keda),
    exporter!("kube-state-metrics", "kube-state-metrics@2.19.1.txt", |_| true),
    exporter!("the kubelet", "kubelet@1.34.0.txt", |_| true),
    exporter!("node-exporter", "node-exporter@1.11.1.txt", |env| env
        .has(Part::NodeExporter)),
    exporter!("the OpenTelemetry collector", "otel-collector@0.159.0.txt", |_| true),
    exporter!("Prometheus", "prometheus@3.13.2.txt", |_| true),
    exporter!("Strimzi's brokers", "strimzi-kafka@1.2.0.txt", |env| env
        .kafka
        .strimzi()
        .is_some()),
];

/// The labels of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Whatever: a recorded series.
    Any,
    /// These, without those that scraping adds.
    These(BTreeSet<String>),
}

/// Every metric that something in an environment exports.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    here: BTreeMap<String, Known>,
    elsewhere: BTreeMap<String, &'static str>,
}

impl Metrics {
    /// Those of an environment. `recorded` are the series that recording rules make.
    pub fn of(env: &Environment, catalogue: &Catalogue, recorded: impl IntoIterator<Item = String>) -> Self {
        let mut metrics = Self::default();
        for exporter in EXPORTERS {
            let is_here = (exporter.is_here)(env);
            for (series, labels) in series_of(exporter.list) {
                if is_here {
                    metrics.here.insert(series, Known::These(labels));
                } else {
                    metrics.elsewhere.insert(series, exporter.name);
                }
            }
        }
        for metric in &catalogue.metrics {
            for series in metric.series() {
                let mut labels: BTreeSet<String> = metric.labels.iter().map(|label| label.name.to_owned()).collect();
                if matches!(metric.kind, MetricKind::Histogram { .. }) && series.ends_with("_bucket") {
                    labels.insert("le".to_owned());
                }
                metrics.here.insert(series, Known::These(labels));
            }
        }
        metrics
            .here
            .extend(recorded.into_iter().map(|series| (series, Known::Any)));
        metrics
    }

    /// The labels of a series; `None` if nothing here exports it.
    pub fn labels(&self, series: &str) -> Option<&Known> {
        self.here.get(series)
    }

    /// Who would export it, where that is not part of this environment.
    pub fn elsewhere(&self, series: &str) -> Option<&'static str> {
        self.elsewhere.get(series).copied()
    }

    /// The name that was probably meant.
    pub fn nearest(&self, series: &str) -> Option<&str> {
        let by_likeness = self
            .here
            .keys()
            .map(|known| (strsim::normalized_damerau_levenshtein(series, known), known));
        by_likeness
            .filter(|(likeness, _)| *likeness > 0.75)
            .max_by(|left, right| left.0.total_cmp(&right.0))
            .map(|(_, known)| known.as_str())
    }
}

/// The series of a list: one metric a line, its name, type and labels.
fn series_of(list: &str) -> impl Iterator<Item = (String, BTreeSet<String>)> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(metric).flat_map(|(name, kind, labels)| {
        let with = |more: &str| {
            let mut labels = labels.clone();
            labels.insert(more.to_owned());
            labels
        };
        let plain = |suffix: &str| (format!("{name}{suffix}"), labels.clone());
        match kind {
            "histogram" => vec![(format!("{name}_bucket"), with("le")), plain("_sum"), plain("_count")],
            "summary" => vec![(name.to_owned(), with("quantile")), plain("_sum"), plain("_count")],
            _ => vec![plain("")],
        }
    })
}

fn metric(line: &str) -> Option<(&str, &str, BTreeSet<String>)> {
    let mut words = line.split_ascii_whitespace();
    let (name, kind, labels) = (words.next()?, words.next()?, words.next()?);
    let labels = labels.split(',').filter(|label| *label != "-").map(str::to_owned);
    Some((name, kind, labels.collect()))
}

#[cfg(test)]
mod tests {
    use super::{EXPORTERS, series_of};

    #[test]
    fn every_list_is_read_whole() {
        for exporter in EXPORTERS {
            let written = exporter.list.lines().filter(|line| !line.starts_with('#')).count();
            let read = exporter.list.lines().filter_map(super::metric).count();
            assert!(written > 0 && read >= written, "{}", exporter.name);
            for (series, _) in series_of(exporter.list) {
                assert!(
                    series.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
                    "{}: {series}",
                    exporter.name
                );
            }
        }
    }
}
