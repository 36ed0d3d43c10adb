//! The table of alerts keeps to the conventions of the Prometheus mixins (monitoring-mixins/mixtool: `pkg/mixer/lint.go`),
//! and every alert has its runbook.

use super::definition::{Alert, Scope};
use super::{GROUPS, Inputs, rules};
use crate::artefact::Artefacts;
use crate::check::{is_camel_case, template_labels, wrong_with_summary};
use crate::promql::{self, exporters::Metrics};
use crate::resolve::{self, Environment};
use crate::source::Source;
use crate::spec;
use crate::spec::lock::Lock;
use catalogue::Catalogue;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Alerts that one group may hold.
const RULES_PER_GROUP: usize = 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn alerts() -> impl Iterator<Item = &'static Alert> {
    GROUPS.iter().flat_map(|group| group.alerts)
}

/// The environments of this repository: between them every alert has something to watch.
fn environments(catalogue: &Catalogue) -> Vec<Environment> {
    ["aks", "gke", "minikube", "oke"]
        .into_iter()
        .map(|name| {
            let path = format!("environments/{name}.yaml");
            let text = fs::read_to_string(root().join(&path)).unwrap();
            let written = spec::parse(Source::new(path, text), catalogue).unwrap();
            resolve::resolve(&written, Lock::default(), catalogue)
        })
        .collect()
}

/// Calls a test with every alert that has something to watch, its expression and the metrics there are.
fn each_expression(mut test: impl FnMut(&Environment, &Alert, &str, &Metrics)) {
    let catalogue = Catalogue::taskflow();
    for env in environments(&catalogue) {
        let inputs = Inputs {
            env: &env,
            catalogue: &catalogue,
        };
        let scope = Scope::new(inputs, &Artefacts::default());
        let records = GROUPS.iter().flat_map(|group| (group.records)(&scope));
        let metrics = Metrics::of(&env, &catalogue, records.map(|record| record.name));
        for alert in alerts() {
            if let Some(expr) = (alert.expr)(&scope) {
                test(&env, alert, &expr, &metrics);
            }
        }
    }
}

#[test]
fn names_are_camel_case_short_and_unique() {
    let mut seen = BTreeSet::new();
    for alert in alerts() {
        assert!(is_camel_case(alert.name) && alert.name.len() <= 40, "{}", alert.name);
        assert!(seen.insert(alert.name), "{} is there twice", alert.name);
    }
}

#[test]
fn summaries_stand_alone_and_descriptions_are_filled_in() {
    for alert in alerts() {
        assert_eq!(wrong_with_summary(alert.summary), None, "{}", alert.name);
        assert!(alert.description.contains("{{"), "{}: nothing is filled in", alert.name);
        assert!(alert.description.ends_with('.'), "{}", alert.name);
    }
}

#[test]
fn waits_are_spelt_as_prometheus_reads_them() {
    for alert in alerts().filter(|alert| !alert.hold.is_empty()) {
        let hold: spec::units::Duration = alert.hold.parse().unwrap();
        assert!(hold.0 >= 60_000, "{}: shorter than two scrapes", alert.name);
    }
}

#[test]
fn groups_are_small() {
    let catalogue = Catalogue::taskflow();
    for env in environments(&catalogue) {
        let inputs = Inputs {
            env: &env,
            catalogue: &catalogue,
        };
        let scope = Scope::new(inputs, &Artefacts::default());
        for group in GROUPS {
            assert!(
                rules(group, &scope).len() <= RULES_PER_GROUP,
                "{} in {}",
                group.name,
                env.name
            );
        }
    }
}

#[test]
fn every_expression_parses_compares_and_asks_for_what_exists() {
    each_expression(|env, alert, expr, metrics| {
        let query = promql::parse(expr).unwrap_or_else(|error| panic!("{}: {error}\n{expr}", alert.name));
        assert!(query.compares(), "{}: {expr}", alert.name);
        let (problems, _) = query.check(metrics);
        assert!(problems.is_empty(), "{} in {}: {problems:?}", alert.name, env.name);
    });
}

#[test]
fn a_description_names_only_labels_that_the_alert_has() {
    each_expression(|env, alert, expr, metrics| {
        let (_, labels) = promql::parse(expr).unwrap().check(metrics);
        for label in template_labels(alert.description) {
            assert!(labels.may_have(label), "{} in {}: {label}", alert.name, env.name);
        }
    });
}

#[test]
fn every_alert_watches_something_in_some_environment() {
    let mut watching = BTreeSet::new();
    each_expression(|_, alert, _, _| {
        watching.insert(alert.name);
    });
    let all: BTreeSet<_> = alerts().map(|alert| alert.name).collect();
    assert_eq!(watching, all);
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let folder = root().join("docs/runbooks");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .collect();
    assert!(pages.remove("README.md"));
    let wanted: BTreeSet<String> = alerts().map(|alert| format!("{}.md", alert.name)).collect();
    assert_eq!(pages, wanted);
    for alert in alerts() {
        let page = fs::read_to_string(folder.join(format!("{}.md", alert.name))).unwrap();
        assert!(page.starts_with(&format!("# {}\n", alert.name)), "{}", alert.name);
        for section in ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"] {
            assert!(page.contains(section), "{}: no {section}", alert.name);
        }
        assert!(
            index.contains(&format!("({}.md)", alert.name)),
            "{} is not in the index",
            alert.name
        );
    }
}

/// A query that the reader pastes at night must work.
#[test]
fn every_query_of_a_runbook_asks_for_what_exists() {
    let mut known: Vec<Metrics> = Vec::new();
    let catalogue = Catalogue::taskflow();
    for env in environments(&catalogue) {
        let inputs = Inputs {
            env: &env,
            catalogue: &catalogue,
        };
        let scope = Scope::new(inputs, &Artefacts::default());
        let records = GROUPS.iter().flat_map(|group| (group.records)(&scope));
        known.push(Metrics::of(&env, &catalogue, records.map(|record| record.name)));
    }
    for alert in alerts() {
        let page = fs::read_to_string(root().join("docs/runbooks").join(format!("{}.md", alert.name))).unwrap();
        let blocks = page
            .split("```promql\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next());
        for query in blocks.flat_map(str::lines) {
            let parsed = promql::parse(query).unwrap_or_else(|error| panic!("{}: {error}\n{query}", alert.name));
            let works = known.iter().any(|metrics| parsed.check(metrics).0.is_empty());
            assert!(works, "{}: {query}", alert.name);
        }
    }
}
