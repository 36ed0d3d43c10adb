//! Alert rules, with a real promtool: every `PrometheusRule` is valid, and every alert of every environment has a case in
//! which it fires and one in which it stays silent.
//!
//! The cases are promtool's own test files, written by hand, in `gen/tests/alerts/`. Their `rule_files` is
//! `[rules.yaml]`, which is written beside each from an environment's rules; `# environments: oke, aks` on a line of
//! its own limits a file to some environments (the alerts of the others differ, or are absent).

mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use self::cases::CaseFile;
use crate::setup::{committed_environments, objects_in, root, run, tool};

/// Where the cases are, from the root of the checkout.
const CASES: &str = "gen/tests/alerts";

#[test]
fn every_rule_is_valid() {
    for environment in committed_environments() {
        check(&groups_in(&environment.folder)).unwrap_or_else(|error| panic!("{}: {error}", environment.name));
    }
}

#[test]
fn every_alert_fires_in_one_case_and_stays_silent_in_another() {
    let cases = cases::all(&root().join(CASES)).unwrap_or_else(|error| panic!("{error}"));
    let mut failures = Vec::new();
    for environment in committed_environments() {
        let groups = groups_in(&environment.folder);
        let cases: Vec<&CaseFile> = cases.iter().filter(|case| case.is_for(&environment.name)).collect();
        for failure in [uncovered(&groups, &cases), failing(&groups, &cases)].concat() {
            failures.push(format!("{}: {failure}", environment.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The groups of all rules under a folder. Every object becomes a file of its own in Prometheus, where groups may be
/// called as in another file: here, all in one, each carries its object's name.
fn groups_in(folder: &Path) -> Vec<Value> {
    let mut groups = Vec::new();
    for object in objects_in(folder) {
        if object["kind"] == "PrometheusRule" {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            for group in object["spec"]["groups"].as_array().into_iter().flatten() {
                let mut group = group.clone();
                let group_name = group["name"].as_str().unwrap_or_default();
                group["name"] = json!(format!("{name}/{group_name}"));
                groups.push(group);
            }
        }
    }
    groups
}

fn alert_names(groups: &[Value]) -> BTreeSet<&str> {
    groups
        .iter()
        .flat_map(|group| group["rules"].as_array().into_iter().flatten())
        .filter_map(|rule| rule["alert"].as_str())
        .collect()
}

/// `promtool check rules`; no rule at all is an error.
fn check(groups: &[Value]) -> Result<(), String> {
    if alert_names(groups).is_empty() {
        return Err("there is no alert".into());
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let rules = write_rules(folder.path(), groups)?;
    run(Command::new(tool("TASKFLOW_PROMTOOL"))
        .args(["check", "rules", "--lint=all", "--lint-fatal"])
        .arg(rules))
    .succeeded("promtool check rules")
    .map(drop)
}

fn write_rules(folder: &Path, groups: &[Value]) -> Result<std::path::PathBuf, String> {
    let path = folder.join("rules.yaml");
    fs::write(&path, json!({"groups": groups}).to_string()).map_err(|error| error.to_string())?;
    Ok(path)
}

/// The alerts that lack a case of either kind.
fn uncovered(groups: &[Value], cases: &[&CaseFile]) -> Vec<String> {
    let mut missing = Vec::new();
    for alert in alert_names(groups) {
        for (kind, covered) in [
            ("fires", cases.iter().any(|case| case.fires(alert))),
            ("stays silent", cases.iter().any(|case| case.stays_silent(alert))),
        ] {
            if !covered {
                missing.push(format!("{alert}: no case in which it {kind}"));
            }
        }
    }
    missing
}

/// What `promtool test rules` says against the cases.
fn failing(groups: &[Value], cases: &[&CaseFile]) -> Vec<String> {
    cases.iter().filter_map(|case| test(groups, case).err()).collect()
}

fn test(groups: &[Value], case: &CaseFile) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    write_rules(folder.path(), groups)?;
    let path = folder.path().join(&case.name);
    fs::write(&path, &case.text).map_err(|error| error.to_string())?;
    run(Command::new(tool("TASKFLOW_PROMTOOL"))
        .args(["test", "rules"])
        .arg(path))
    .succeeded(&case.name)
    .map(drop)
}

#[test]
fn a_bad_expression_and_an_alert_that_does_not_fire_are_found() {
    let groups =
        |expression: &str| vec![json!({"name": "g", "rules": [{"alert": "Down", "expr": expression, "for": "1m"}]})];
    check(&groups("up == 0")).unwrap();
    let error = check(&groups("up ==")).unwrap_err();
    assert!(error.contains("could not parse expression"), "{error}");
    assert_eq!(check(&[]).unwrap_err(), "there is no alert");

    let case = CaseFile::parse(
        "down.yaml",
        "rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    \
         input_series: [{series: 'up{job=\"a\"}', values: '0x5'}]\n    alert_rule_test:\n      \
         - {eval_time: 3m, alertname: Down, exp_alerts: [{exp_labels: {job: a}}]}\n      \
         - {eval_time: 0m, alertname: Down, exp_alerts: []}\n",
    )
    .unwrap();
    assert_eq!(failing(&groups("up == 0"), &[&case]), Vec::<String>::new());
    assert_eq!(uncovered(&groups("up == 0"), &[&case]), Vec::<String>::new());
    assert_eq!(failing(&groups("up == 1"), &[&case]).len(), 1);
    assert_eq!(uncovered(&groups("up == 0"), &[]).len(), 2);
}
