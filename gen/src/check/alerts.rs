//! Rules about alerts: Prometheus takes any expression, and one that selects nothing never fires.

mod queries;

use super::{Rule, Subject, rule};
use crate::diagnostic::Diagnostic;
use crate::emit::built_in_alerts;
use crate::promql;
use crate::promql::exporters::Metrics;
use crate::spec::observability::CustomAlert;
use queries::{Asked, emitted, finding, recorded};

pub(super) const RULES: &[Rule] = &[
    rule(710, "every PromQL expression parses", expressions_parse),
    rule(711, "somebody exports every metric that is asked for", metrics_exist),
    rule(712, "every label that is asked for is there", labels_exist),
    rule(713, "an alert compares something", alerts_compare),
    rule(714, "an alert's name is CamelCase", names_are_camel_case),
    rule(715, "an alert's name is its own", names_are_unique),
    rule(
        716,
        "a description names labels that the alert has",
        descriptions_can_be_filled_in,
    ),
    rule(717, "a summary is a plain sentence", summaries_are_sentences),
    rule(718, "a lag of -1 is not summed up", negative_lag_is_not_summed),
];

/// The environment's own alerts with their places in the spec.
fn custom<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (String, &'a CustomAlert)> {
    let alerts = subject.env.custom_alerts.iter().enumerate();
    alerts.map(|(index, alert)| (format!("/alerts/custom/{index}"), alert))
}

/// What several rules start from, found once for each environment: following labels through every expression, and
/// reading the exporters' lists, takes longer than the rules themselves.
#[derive(Debug)]
pub(super) struct Queries {
    /// The metrics that exist here.
    metrics: Metrics,
    /// What is wrong with every expression, the environment's own and everything emitted.
    problems: Vec<(Asked, promql::Problem)>,
}

fn queries<'a>(subject: &'a Subject<'_>) -> &'a Queries {
    subject.queries.get_or_init(|| {
        let metrics = Metrics::of(subject.env, subject.catalogue, recorded(subject.artefacts));
        let mut problems = Vec::new();
        for asked in emitted(subject) {
            let Ok(query) = promql::parse(&asked.expr) else {
                continue; // TF0710 says so
            };
            let (wrong, _) = query.check(&metrics);
            problems.extend(wrong.into_iter().map(|problem| (asked.clone(), problem)));
        }
        Queries { metrics, problems }
    })
}

fn expressions_parse(subject: &Subject<'_>) -> Vec<Diagnostic> {
    emitted(subject)
        .into_iter()
        .filter_map(|asked| {
            let error = promql::parse(&asked.expr).err()?;
            Some(
                subject
                    .error(710, &asked.pointer, format!("{} asks what is not PromQL", asked.by))
                    .label(error.lines().next().unwrap_or_default().to_lowercase())
                    .reason("Prometheus refuses the whole group of rules, the good ones too")
                    .fix("mend the expression; Prometheus's own page /query shows where it breaks"),
            )
        })
        .collect()
}

fn metrics_exist(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let queries = queries(subject);
    queries
        .problems
        .iter()
        .filter_map(|(asked, problem)| match problem {
            promql::Problem::UnknownMetric(name) => Some(finding(subject, &queries.metrics, asked, name)),
            _ => None,
        })
        .collect()
}

fn labels_exist(subject: &Subject<'_>) -> Vec<Diagnostic> {
    queries(subject)
        .problems
        .iter()
        .filter_map(|(asked, problem)| match problem {
            promql::Problem::UnknownLabel { label, of, has } => {
                let message = format!("{} asks for the label `{label}`, which `{of}` does not have", asked.by);
                let has: Vec<&str> = has.iter().map(String::as_str).collect();
                Some(
                    subject
                        .error(712, &asked.pointer, message)
                        .label(format!("no label `{label}`"))
                        .reason("a label that is not there is empty: the matcher selects nothing, or everything falls into one group")
                        .fix(if has.is_empty() {
                            "it has no label at all".to_owned()
                        } else {
                            format!("it has {}", has.join(", "))
                        }),
                )
            }
            _ => None,
        })
        .collect()
}

fn negative_lag_is_not_summed(subject: &Subject<'_>) -> Vec<Diagnostic> {
    queries(subject)
        .problems
        .iter()
        .filter(|(_, problem)| *problem == promql::Problem::NegativeLagSummed)
        .map(|(asked, _)| {
            subject
                .error(718, &asked.pointer, format!("{} sums `kafka_consumergroup_lag`", asked.by))
                .label("-1 where a partition has no committed offset")
                .reason("each partition that nobody committed on yet takes one off the sum: the alert comes late or never")
                .fix("use `kafka_consumergroup_lag_sum`, which leaves them out, or `clamp_min(kafka_consumergroup_lag, 0)`")
        })
        .collect()
}

fn alerts_compare(subject: &Subject<'_>) -> Vec<Diagnostic> {
    custom(subject)
        .filter(|(_, alert)| promql::parse(&alert.expr).is_ok_and(|query| !query.compares()))
        .map(|(pointer, alert)| {
            subject
                .error(713, &format!("{pointer}/expr"), format!("{} compares nothing", alert.name))
                .label("whatever it returns fires")
                .reason("an alert fires for every series that its expression returns, whatever the value: this one always does, or never")
                .fix("compare with a threshold (`… > 10`), or ask for absence (`absent(…)`)")
        })
        .collect()
}

fn names_are_camel_case(subject: &Subject<'_>) -> Vec<Diagnostic> {
    custom(subject)
        .filter(|(_, alert)| !is_camel_case(&alert.name))
        .map(|(pointer, alert)| {
            subject
                .error(714, &format!("{pointer}/name"), format!("`{}` is not CamelCase", alert.name))
                .label("letters and digits, each word with a capital")
                .reason("the name is a label value, the name of a silence and of a runbook's page; tools that read alerts expect this form")
                .fix("write it as `TaskBacklogHigh`")
        })
        .collect()
}

/// As mixtool's lint has it: `^([A-Z]+[a-z0-9]+)+$`.
pub(crate) fn is_camel_case(name: &str) -> bool {
    let ends_low = name.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit());
    ends_low
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn names_are_unique(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, (pointer, alert)) in custom(subject).enumerate() {
        let place = format!("{pointer}/name");
        let reason = "silences, routes and runbooks go by the name: two alerts under one name are silenced together";
        let earlier = subject.env.custom_alerts[..index]
            .iter()
            .position(|other| other.name == alert.name);
        if let Some(earlier) = earlier {
            let first = subject.written.span(&format!("/alerts/custom/{earlier}/name"));
            found.push(
                subject
                    .error(715, &place, format!("two alerts are called `{}`", alert.name))
                    .label("the second one")
                    .related(first, "the first one")
                    .reason(reason)
                    .fix("give one of them another name"),
            );
        } else if built_in_alerts().any(|name| name == alert.name) {
            found.push(
                subject
                    .error(
                        715,
                        &place,
                        format!("every environment has an alert called `{}`", alert.name),
                    )
                    .label("taken")
                    .reason(reason)
                    .fix("give it another name"),
            );
        }
    }
    found
}

fn descriptions_can_be_filled_in(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (pointer, alert) in custom(subject) {
        let Ok(query) = promql::parse(&alert.expr) else {
            continue;
        };
        let (_, labels) = query.check(&queries(subject).metrics);
        for label in template_labels(&alert.description) {
            if label == "alertname" || label == "severity" || labels.may_have(label) {
                continue;
            }
            let place = format!("{pointer}/description");
            found.push(
                subject
                    .error(716, &place, format!("{} has no label `{label}` to fill in", alert.name))
                    .label(format!("`{label}` is empty here"))
                    .related(subject.written.span(&format!("{pointer}/expr")), "it does not survive this")
                    .reason("a template fills in nothing for a label that is not there: the reader is not told what is broken")
                    .fix(format!("keep it with `by ({label})`, or leave it out of the description")),
            );
        }
    }
    found
}

/// The labels that a template names, as in `{{ $labels.topic }}`.
pub(crate) fn template_labels(text: &str) -> impl Iterator<Item = &str> {
    text.split("$labels.").skip(1).filter_map(|rest| {
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .next()
            .filter(|label| !label.is_empty())
    })
}

fn summaries_are_sentences(subject: &Subject<'_>) -> Vec<Diagnostic> {
    custom(subject)
        .filter_map(|(pointer, alert)| {
            let wrong = wrong_with_summary(&alert.summary)?;
            Some(
                subject
                    .error(717, &format!("{pointer}/summary"), format!("the summary of {} {wrong}", alert.name))
                    .label(wrong)
                    .reason("the summary is the line that is read first, and one for all firing series: it must stand without any of them")
                    .fix("write one plain sentence here, and what differs from series to series in `description`"),
            )
        })
        .collect()
}

/// What is wrong with a summary.
pub(crate) fn wrong_with_summary(summary: &str) -> Option<&'static str> {
    if summary.contains("{{") {
        return Some("holds a template");
    }
    if !summary.starts_with(|first: char| first.is_uppercase()) {
        return Some("does not start with a capital");
    }
    (!summary.ends_with('.')).then_some("does not end with a full stop")
}

#[cfg(test)]
mod tests;
