use std::collections::BTreeSet;

use catalogue::{Catalogue, LabelValues, Metric, MetricKind, ServiceKind, Unit, metrics};

use super::names::is_snake;

pub(crate) fn metric_names_tell_kind_and_unit(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for metric in &catalogue.metrics {
        let name = metric.name;
        if !is_snake(name) {
            problems.push(format!("{name}: not a metric name"));
        }
        if name.ends_with("_total") != (metric.kind == MetricKind::Counter) {
            problems.push(format!("{name}: a counter ends in _total, nothing else does"));
        }
        if !unit_is_in_the_name(metric) {
            problems.push(format!("{name}: the unit is not in the name"));
        }
        let mut suffixes = metrics::HISTOGRAM_SUFFIXES.iter();
        if suffixes.any(|suffix| name.ends_with(suffix)) {
            problems.push(format!("{name}: looks like a series of a histogram"));
        }
        if !is_sentence(metric.help) {
            problems.push(format!("{name}: help is no sentence"));
        }
    }
    problems
}

fn unit_is_in_the_name(metric: &Metric) -> bool {
    let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
    let ends: &[&str] = match metric.unit {
        Unit::Count | Unit::Boolean => {
            return !name.ends_with("_seconds") && !name.ends_with("_bytes");
        }
        Unit::Seconds => &["_seconds"],
        Unit::Bytes => &["_bytes"],
        Unit::UnixSeconds => &["_timestamp_seconds", "_time_seconds"],
    };
    ends.iter().any(|end| name.ends_with(end))
}

fn is_sentence(text: &str) -> bool {
    text.ends_with('.') && text.starts_with(|first: char| first.is_uppercase() || first.is_ascii_digit())
}

pub(crate) fn buckets_ascend(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for metric in &catalogue.metrics {
        let MetricKind::Histogram { buckets } = metric.kind else {
            continue;
        };
        let ascend = buckets.iter().all(|bound| bound.is_finite() && *bound > 0.0)
            && buckets.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascend || buckets.is_empty() {
            problems.push(format!("{}: buckets do not ascend", metric.name));
        }
        let objective = |bound: &f64| (bound - 30.0).abs() < f64::EPSILON;
        if metric.name == metrics::REMINDER_LATENESS_SECONDS.name && !buckets.iter().any(objective) {
            problems.push(format!("{}: no bucket at 30", metric.name));
        }
    }
    problems
}

/// Labels that Prometheus, the scrape or an alert adds.
const TAKEN_LABELS: &[&str] = &[
    "alertname",
    "container",
    "endpoint",
    "instance",
    "job",
    "le",
    "namespace",
    "node",
    "pod",
    "quantile",
    "service",
    "severity",
];

pub(crate) fn labels_are_valid(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for metric in &catalogue.metrics {
        let mut seen = BTreeSet::new();
        for label in metric.labels {
            let place = format!("{}: label {}", metric.name, label.name);
            if TAKEN_LABELS.contains(&label.name) {
                problems.push(format!("{place} is not ours to use"));
            }
            if !is_snake(label.name) {
                problems.push(format!("{place} is not snake case"));
            }
            if !seen.insert(label.name) {
                problems.push(format!("{place} is there twice"));
            }
            let LabelValues::Closed(values) = label.values else {
                continue;
            };
            if values.is_empty() {
                problems.push(format!("{place} has no values"));
            }
            if !values.is_sorted_by(|left, right| left < right) {
                problems.push(format!(
                    "{}: values of label {} are not in order or not unique",
                    metric.name, label.name
                ));
            }
        }
    }
    problems
}

pub(crate) fn exporters_and_readers_exist(catalogue: &Catalogue) -> Vec<String> {
    let metrics = catalogue.metrics.iter();
    let spans = catalogue.spans.iter();
    let variables = catalogue.environment_variables.iter();
    let lists = metrics
        .map(|it| ("metric", it.name, it.exported_by))
        .chain(spans.map(|it| ("span", it.name, it.recorded_by)))
        .chain(variables.map(|it| ("environment variable", it.name, it.read_by)));
    let mut problems = Vec::new();
    for (what, name, services) in lists {
        if services.is_empty() {
            problems.push(format!("{what} {name} names nobody"));
        }
        for app_id in services {
            let service = catalogue.service(app_id);
            if !service.is_some_and(|it| it.kind == ServiceKind::Rust) {
                problems.push(format!("{what} {name} names {app_id}, which is no Rust service"));
            }
        }
    }
    problems
}

pub(crate) fn span_attributes_are_valid(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for span in &catalogue.spans {
        let name = span.name;
        let mut seen = BTreeSet::new();
        for attribute in span.attributes {
            let key = attribute.key;
            if !key.contains('.') || !key.split('.').all(is_snake) {
                problems.push(format!("{name}: {key} is no dotted name"));
            }
            if !seen.insert(key) {
                problems.push(format!("{name}: {key} is there twice"));
            }
        }
        if !is_sentence(span.help) {
            problems.push(format!("{name}: help is no sentence"));
        }
        if name == "task_create" {
            for key in ["task.id", "task.priority", "user.id"] {
                if !seen.contains(key) {
                    problems.push(format!("{name}: no {key}"));
                }
            }
        }
    }
    problems
}

pub(crate) fn confidential_variables_say_so(catalogue: &Catalogue) -> Vec<String> {
    const CONFIDENTIAL: &[&str] = &["_PASSWORD", "_TOKEN", "_PRIVATE_KEY", "_SECRET"];
    let mut problems = Vec::new();
    for variable in &catalogue.environment_variables {
        let name = variable.name;
        let mut ends = CONFIDENTIAL.iter();
        let looks = ends.any(|end| name.ends_with(end)) || name.contains("DATABASE") && name.ends_with("_URL");
        if looks && !variable.is_secret() {
            problems.push(format!("{name}: looks confidential and is not"));
        }
        if variable.help.starts_with("Secret:") != variable.is_secret() {
            problems.push(format!(
                "{name}: the help does not begin with `Secret:`, or does so without need"
            ));
        }
        if variable.is_secret() && matches!(variable.presence, catalogue::Presence::Default(_)) {
            problems.push(format!("{name}: a secret with a default"));
        }
    }
    problems
}
