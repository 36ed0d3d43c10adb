//! Tests of metrics, spans and environment variables.

use catalogue::{Catalogue, Label, LabelValues, MetricKind, Secrecy, Unit};

use crate::{metric, notices, rules};

#[test]
fn metric_names_tell_kind_and_unit() {
    let rule = rules::metric_names_tell_kind_and_unit;
    let rename =
        |from: &'static str, to: &'static str| move |catalogue: &mut Catalogue| metric(catalogue, from).name = to;
    notices(
        rule,
        rename("http_requests_total", "http_requests"),
        "http_requests: a counter ends in _total, nothing else does",
    );
    notices(
        rule,
        rename("dlq_depth", "dlq_depth_total"),
        "dlq_depth_total: a counter ends in _total, nothing else does",
    );
    notices(rule, rename("dlq_depth", "dlq-depth"), "dlq-depth: not a metric name");
    notices(
        rule,
        rename("dlq_oldest_age_seconds", "dlq_oldest_age"),
        "dlq_oldest_age: the unit is not in the name",
    );
    notices(
        rule,
        rename("event_handling_duration_seconds", "events_count"),
        "events_count: looks like a series of a histogram",
    );
    notices(
        rule,
        |catalogue| metric(catalogue, "dlq_depth").unit = Unit::Seconds,
        "dlq_depth: the unit is not in the name",
    );
    notices(
        rule,
        |catalogue| metric(catalogue, "dlq_depth").help = "",
        "dlq_depth: help is no sentence",
    );
}

#[test]
fn buckets_ascend_and_reminders_have_their_objective() {
    let rule = rules::buckets_ascend;
    notices(
        rule,
        |catalogue| {
            metric(catalogue, "reminder_lateness_seconds").kind = MetricKind::Histogram { buckets: &[5.0, 1.0] };
        },
        "reminder_lateness_seconds: buckets do not ascend",
    );
    notices(
        rule,
        |catalogue| {
            metric(catalogue, "reminder_lateness_seconds").kind = MetricKind::Histogram { buckets: &[1.0, 5.0] };
        },
        "reminder_lateness_seconds: no bucket at 30",
    );
}

#[test]
fn labels_are_valid_and_closed() {
    let rule = rules::labels_are_valid;
    let label = |name, values| {
        move |catalogue: &mut Catalogue| {
            let labels = vec![Label { name, values }];
            metric(catalogue, "dlq_depth").labels = labels.leak();
        }
    };
    notices(
        rule,
        label("le", LabelValues::StatusCodes),
        "dlq_depth: label le is not ours to use",
    );
    notices(
        rule,
        label("Topic", LabelValues::StatusCodes),
        "dlq_depth: label Topic is not snake case",
    );
    notices(
        rule,
        label("topic", LabelValues::Closed(&[])),
        "dlq_depth: label topic has no values",
    );
    notices(
        rule,
        label("topic", LabelValues::Closed(&["b", "a"])),
        "dlq_depth: values of label topic are not in order or not unique",
    );
}

#[test]
fn whoever_is_named_exists_and_can() {
    let rule = rules::exporters_and_readers_exist;
    notices(
        rule,
        |catalogue| metric(catalogue, "dlq_depth").exported_by = &["dlq"],
        "metric dlq_depth names dlq, which is no Rust service",
    );
    notices(
        rule,
        |catalogue| metric(catalogue, "dlq_depth").exported_by = &[],
        "metric dlq_depth names nobody",
    );
    notices(
        rule,
        |catalogue| catalogue.spans[0].recorded_by = &["web"],
        "span task_create names web, which is no Rust service",
    );
    notices(
        rule,
        |catalogue| catalogue.environment_variables[0].read_by = &["gone"],
        "environment variable TASKFLOW_HTTP_PORT names gone, which is no Rust service",
    );
}

#[test]
fn every_confidential_variable_says_so() {
    let rule = rules::confidential_variables_say_so;
    let variable = |catalogue: &mut Catalogue, name: &str| {
        let all = &catalogue.environment_variables;
        all.iter().position(|it| it.name == name).unwrap()
    };
    notices(
        rule,
        |catalogue| {
            let index = variable(catalogue, "TASKFLOW_DATABASE_URL");
            catalogue.environment_variables[index].secrecy = Secrecy::Plain;
        },
        "TASKFLOW_DATABASE_URL: looks confidential and is not",
    );
    notices(
        rule,
        |catalogue| {
            let index = variable(catalogue, "APP_API_TOKEN");
            catalogue.environment_variables[index].help = "Expected from the sidecar.";
        },
        "APP_API_TOKEN: the help does not begin with `Secret:`, or does so without need",
    );
    notices(
        rule,
        |catalogue| {
            let index = variable(catalogue, "APP_API_TOKEN");
            catalogue.environment_variables[index].presence = catalogue::Presence::Default("x");
        },
        "APP_API_TOKEN: a secret with a default",
    );
}

#[test]
fn span_attributes_carry_what_was_asked() {
    notices(
        rules::span_attributes_are_valid,
        |catalogue| catalogue.spans[0].attributes = &[],
        "task_create: no task.id",
    );
    notices(
        rules::span_attributes_are_valid,
        |catalogue| catalogue.spans[1].help = "no sentence",
        "task_update: help is no sentence",
    );
}
