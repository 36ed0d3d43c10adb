//! Every PromQL expression that an environment holds.

use super::super::Subject;
use crate::artefact::{Artefacts, Object};
use crate::diagnostic::Diagnostic;
use crate::emit::CUSTOM_ALERTS;
use crate::promql::exporters::Metrics;
use serde_yaml::Value;

/// An expression and who asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The place in the spec that it comes from.
    pub(super) pointer: String,
    /// Who asks, in prose.
    pub(super) by: String,
    /// The expression.
    pub(super) expr: String,
}

/// All of them: the environment's own alerts first, then whatever was emitted.
pub(super) fn emitted(subject: &Subject<'_>) -> Vec<Asked> {
    let own = super::custom(subject).map(|(pointer, alert)| Asked {
        pointer: format!("{pointer}/expr"),
        by: alert.name.clone(),
        expr: alert.expr.clone(),
    });
    let mut asked: Vec<Asked> = own.collect();
    for (artefact, object) in subject.artefacts.objects() {
        let found = match object.kind.as_str() {
            "PrometheusRule" if object.name == CUSTOM_ALERTS => Vec::new(),
            "PrometheusRule" => rules(object)
                .map(|(name, expr)| (name.to_owned(), expr.to_owned()))
                .collect(),
            "ScaledObject" => triggers(object),
            "HelmRelease" => adapter_rules(object),
            _ => Vec::new(),
        };
        asked.extend(found.into_iter().map(|(name, expr)| Asked {
            pointer: artefact.pointer.clone(),
            by: format!("{name} in `{}`", artefact.path),
            expr,
        }));
    }
    asked
}

/// The series that recording rules make.
pub(super) fn recorded(artefacts: &Artefacts) -> Vec<String> {
    artefacts
        .of_kind("PrometheusRule")
        .flat_map(|(_, object)| all_rules(object))
        .filter_map(|rule| rule.get("record")?.as_str().map(str::to_owned))
        .collect()
}

fn all_rules(object: &Object) -> impl Iterator<Item = &Value> {
    let groups = object.at("/spec/groups").and_then(Value::as_sequence);
    groups
        .into_iter()
        .flatten()
        .filter_map(|group| group.get("rules")?.as_sequence())
        .flatten()
}

fn rules(object: &Object) -> impl Iterator<Item = (&str, &str)> {
    all_rules(object).filter_map(|rule| {
        let name = rule.get("alert").or_else(|| rule.get("record"))?.as_str()?;
        Some((name, rule.get("expr")?.as_str()?))
    })
}

/// KEDA may ask Prometheus too.
fn triggers(object: &Object) -> Vec<(String, String)> {
    let triggers = object.at("/spec/triggers").and_then(Value::as_sequence);
    triggers
        .into_iter()
        .flatten()
        .filter(|trigger| trigger.get("type").and_then(Value::as_str) == Some("prometheus"))
        .filter_map(|trigger| trigger.get("metadata")?.get("query")?.as_str())
        .map(|query| (object.name.clone(), query.to_owned()))
        .collect()
}

/// prometheus-adapter's rules: which series it looks for, and the template that it asks with.
fn adapter_rules(object: &Object) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for list in ["custom", "external"] {
        let rules = object
            .at(&format!("/spec/values/rules/{list}"))
            .and_then(Value::as_sequence);
        for rule in rules.into_iter().flatten() {
            let text = |key: &str| rule.get(key).and_then(Value::as_str);
            let Some(series) = text("seriesQuery") else {
                continue;
            };
            found.push((object.name.clone(), series.to_owned()));
            let name = series.split('{').next().unwrap_or_default();
            if let Some(template) = text("metricsQuery").filter(|_| !name.is_empty()) {
                let query = template
                    .replace("<<.Series>>", name)
                    .replace("<<.LabelMatchers>>", "")
                    .replace("<<.GroupBy>>", "");
                found.push((object.name.clone(), query));
            }
        }
    }
    found
}

/// A metric that nobody exports, with what was probably meant.
pub(super) fn finding(subject: &Subject<'_>, metrics: &Metrics, asked: &Asked, name: &str) -> Diagnostic {
    let fix = match name {
        "kafka_consumer_lag" => {
            "no exporter has ever had it; the lag of a group is `kafka_consumergroup_lag_sum{consumergroup=…, topic=…}`".to_owned()
        }
        "dapr_component_retries_exhausted_total" => {
            "Dapr has no such metric; given up is `dapr_component_pubsub_ingress_count{process_status=\"drop\",status=\"drop\"}`, \
             and an open breaker `dapr_resiliency_activations_total{policy=\"circuitbreaker\",status=\"open\"}`"
                .to_owned()
        }
        _ => match (metrics.elsewhere(name), metrics.nearest(name)) {
            (Some(exporter), _) => format!("{exporter} exports it, which is not part of this environment"),
            (None, Some(nearest)) => format!("did you mean `{nearest}`?"),
            (None, None) => "the lists under gen/data/ and the catalogue hold every name there is".to_owned(),
        },
    };
    subject
        .error(
            711,
            &asked.pointer,
            format!("{} asks for `{name}`, which nobody here exports", asked.by),
        )
        .label(format!("no metric `{name}`"))
        .reason(
            "an expression over a metric that does not exist returns nothing: the alert stays silent whatever happens",
        )
        .fix(fix)
}
