use super::exporters::Metrics;
use super::{Labels, Problem, parse};
use crate::resolve;
use crate::source::Source;
use crate::spec;
use crate::spec::lock::Lock;
use catalogue::Catalogue;
use std::collections::BTreeSet;

const SPEC: &str = include_str!("../../../environments/oke.yaml");

/// What exists in an environment with KEDA and Dapr, without CloudNativePG.
fn metrics() -> Metrics {
    let catalogue = Catalogue::taskflow();
    let written = spec::parse(Source::new("environments/oke.yaml", SPEC), &catalogue).unwrap();
    let env = resolve::resolve(&written, Lock::default(), &catalogue);
    Metrics::of(&env, &catalogue, ["recorded:ratio".to_owned()])
}

fn problems(expr: &str) -> BTreeSet<Problem> {
    parse(expr).unwrap().check(&metrics()).0
}

fn labels(expr: &str) -> Vec<String> {
    match parse(expr).unwrap().check(&metrics()).1 {
        Labels::Any => vec!["anything".to_owned()],
        Labels::These(labels) => labels.into_iter().collect(),
    }
}

#[test]
fn what_nobody_exports_is_found_wherever_it_stands() {
    for expr in [
        "kafka_consumer_lag > 1",
        "up == 1 unless kafka_consumer_lag",
        "topk(scalar(kafka_consumer_lag), up)",
        "max_over_time(rate(kafka_consumer_lag[5m])[1h:1m]) > 0",
        "{__name__=\"kafka_consumer_lag\"} > 1",
    ] {
        let unknown = BTreeSet::from([Problem::UnknownMetric("kafka_consumer_lag".to_owned())]);
        assert_eq!(problems(expr), unknown, "{expr}");
    }
    assert!(problems("recorded:ratio > 1").is_empty());
}

#[test]
fn an_exporter_of_another_environment_is_named() {
    let metrics = metrics();
    assert_eq!(metrics.labels("cnpg_pg_replication_lag"), None);
    assert_eq!(metrics.elsewhere("cnpg_pg_replication_lag"), Some("CloudNativePG"));
    assert_eq!(metrics.nearest("dlq_deptth"), Some("dlq_depth"));
    assert_eq!(metrics.nearest("something_else_altogether"), None);
}

#[test]
fn a_label_that_is_not_there_is_found() {
    for (expr, missing) in [
        ("dlq_depth{queue=\"a\"} > 1", "queue"),
        ("sum by (queue) (dlq_depth) > 1", "queue"),
        ("sum by (topic) (max by (pod) (dlq_depth)) > 1", "topic"),
        (
            "kafka_consumergroup_lag_sum / on (partition) kafka_topic_partitions > 1",
            "partition",
        ),
        ("up * on (pod) group_left (node) kube_pod_status_ready > 1", "node"),
    ] {
        let found = problems(expr);
        assert!(
            found
                .iter()
                .any(|it| matches!(it, Problem::UnknownLabel { label, .. } if label == missing)),
            "{expr}: {found:?}"
        );
    }
    for expr in [
        "sum by (topic, namespace) (dlq_depth{pod=\"a\"}) > 1",
        "histogram_quantile(0.9, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m]))) > 1",
        "up * on (pod) group_left (node) kube_pod_info > 1",
        "sum by (who) (label_replace(up, \"who\", \"$1\", \"job\", \"(.*)\")) > 1",
    ] {
        assert_eq!(problems(expr), BTreeSet::new(), "{expr}");
    }
}

#[test]
fn the_labels_of_a_result_are_followed() {
    assert_eq!(labels("sum(dlq_depth) > 1"), [""; 0]);
    assert_eq!(labels("max by (topic) (dlq_depth) > 1"), ["topic"]);
    assert_eq!(
        labels("time() - max by (pod) (process_start_time_seconds) > 1"),
        ["pod"]
    );
    assert_eq!(labels("sum(up) or vector(0)"), [""; 0]);
    assert_eq!(labels("absent(up{job=\"a\",pod=~\"b.*\"})"), ["job"]);
    assert_eq!(labels("max by (topic) (dlq_depth) > 1 and on () up == 1"), ["topic"]);
    assert_eq!(labels("no_such_metric > 1"), ["anything"]);
}

#[test]
fn a_sum_over_a_lag_of_minus_one_is_found() {
    assert_eq!(
        problems("sum(kafka_consumergroup_lag) > 1"),
        BTreeSet::from([Problem::NegativeLagSummed])
    );
    assert!(problems("sum(clamp_min(kafka_consumergroup_lag, 0)) > 1").is_empty());
    assert!(problems("max(kafka_consumergroup_lag) > 1").is_empty());
}

#[test]
fn an_expression_without_comparison_is_known() {
    for expr in [
        "up",
        "rate(panics_total[5m])",
        "up == bool 1",
        "up > 0 or dlq_depth",
        "sum(up)",
    ] {
        assert!(!parse(expr).unwrap().compares(), "{expr}");
    }
    for expr in [
        "up == 0",
        "sum(up == 0)",
        "absent(up)",
        "up == 0 and dlq_depth",
        "dlq_depth unless up == 0",
        "label_replace(up == 0, \"a\", \"b\", \"c\", \"d\")",
    ] {
        assert!(parse(expr).unwrap().compares(), "{expr}");
    }
}
