//! Alerting rules: one `PrometheusRule` per subject.

mod burn;
mod capacity;
mod consumers;
mod dapr;
mod dead_letters;
mod definition;
mod kafka;
mod live;
mod outbox;
mod postgres;
mod reminders;
mod rule;
mod scaling;
mod services;
mod tracing;

#[cfg(test)]
mod lint;

use super::Inputs;
use crate::artefact::{Artefacts, Resource, Stage, meta};
use crate::promql;
use crate::resolve::OBSERVABILITY;
use crate::spec::observability::{AlertSeverity, CustomAlert};
use catalogue::Catalogue;
use definition::{Group, Scope};
use rule::{PrometheusRuleSpec, Rule, RuleGroup};
use std::collections::BTreeMap;

const FAMILY: &str = "alerts";

/// Name of the group of an environment's own alerts.
pub(crate) const CUSTOM: &str = "custom";

/// Where the runbooks are, with one page per alert.
const RUNBOOKS: &str = "https://github.com/taskflow-dev/taskflow/blob/main/docs/runbooks";

/// Every group, in the order of what people notice first.
const GROUPS: &[&Group] = &[
    &services::GROUP,
    &reminders::GROUP,
    &live::GROUP,
    &consumers::GROUP,
    &dead_letters::GROUP,
    &outbox::GROUP,
    &dapr::GROUP,
    &dapr::SCHEDULER,
    &kafka::GROUP,
    &postgres::GROUP,
    &tracing::GROUP,
    &scaling::GROUP,
    &capacity::GROUP,
];

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let scope = Scope::new(inputs, artefacts);
    for group in GROUPS {
        let rules = rules(group, &scope);
        if !rules.is_empty() {
            add(artefacts, group.name, group.pointer, rules);
        }
    }
    let own: Vec<Rule> = inputs.env.custom_alerts.iter().map(custom).collect();
    if !own.is_empty() {
        add(artefacts, CUSTOM, "/alerts/custom", own);
    }
}

/// The names of the alerts that every environment may have.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|group| group.alerts).map(|alert| alert.name)
}

fn add(artefacts: &mut Artefacts, name: &str, pointer: &str, rules: Vec<Rule>) {
    let mut metadata = meta(OBSERVABILITY, name);
    metadata.labels = Some(BTreeMap::from([(
        "app.kubernetes.io/component".to_owned(),
        "alerts".to_owned(),
    )]));
    let groups = vec![RuleGroup {
        name: name.to_owned(),
        rules,
    }];
    let object = Resource::new(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        metadata,
        PrometheusRuleSpec { groups },
    );
    artefacts.add(FAMILY, Stage::Observability, pointer, &object);
}

/// A group as it stands in an environment: empty where none of its alerts has anything to watch.
fn rules(group: &Group, scope: &Scope<'_>) -> Vec<Rule> {
    let alerts: Vec<Rule> = group
        .alerts
        .iter()
        .filter_map(|alert| {
            let expr = (alert.expr)(scope)?;
            let mut annotations = texts(alert.summary, alert.description);
            annotations.insert("runbook_url".to_owned(), format!("{RUNBOOKS}/{}.md", alert.name));
            if is_planned(&expr, scope.catalogue) {
                annotations.insert("planned".to_owned(), "true".to_owned());
            }
            Some(Rule {
                alert: Some(alert.name.to_owned()),
                hold: (!alert.hold.is_empty()).then(|| alert.hold.to_owned()),
                labels: severity(alert.severity),
                annotations,
                expr,
                ..Rule::default()
            })
        })
        .collect();
    if alerts.is_empty() {
        return alerts;
    }
    let records = (group.records)(scope).into_iter().map(|record| Rule {
        record: Some(record.name),
        expr: record.expr,
        ..Rule::default()
    });
    records.chain(alerts).collect()
}

fn custom(alert: &CustomAlert) -> Rule {
    Rule {
        alert: Some(alert.name.clone()),
        expr: alert.expr.clone(),
        hold: (alert.hold.0 > 0).then(|| alert.hold.go()),
        labels: severity(alert.severity),
        annotations: texts(&alert.summary, &alert.description),
        ..Rule::default()
    }
}

fn severity(severity: AlertSeverity) -> BTreeMap<String, String> {
    let word = match severity {
        AlertSeverity::Critical => "critical",
        AlertSeverity::Warning => "warning",
        AlertSeverity::Info => "info",
    };
    BTreeMap::from([("severity".to_owned(), word.to_owned())])
}

fn texts(summary: &str, description: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("description".to_owned(), description.to_owned()),
        ("summary".to_owned(), summary.to_owned()),
    ])
}

/// Whether an expression rests on a metric of ours that nothing in this repository exports yet: it cannot fire before.
fn is_planned(expr: &str, catalogue: &Catalogue) -> bool {
    promql::parse(expr).is_ok_and(|query| {
        let names = query.metrics();
        let ours = names.iter().filter_map(|name| catalogue.metric_of_series(name));
        ours.into_iter().any(|metric| catalogue.is_planned(metric))
    })
}
