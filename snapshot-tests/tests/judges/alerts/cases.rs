//! promtool's test files, as far as the judge must understand them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use snapshot_tests::environments;

/// A line that limits a file to some environments.
const ENVIRONMENTS: &str = "# environments:";

/// One file of cases.
pub(super) struct CaseFile {
    pub(super) name: String,
    pub(super) text: String,
    /// Empty: all.
    environments: Vec<String>,
    /// Alert, and whether it is expected to fire.
    expectations: Vec<(String, bool)>,
}

impl CaseFile {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let content: Value = serde_yaml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        if content["rule_files"] != serde_json::json!(["rules.yaml"]) {
            return Err(format!("{name}: rule_files must be [rules.yaml]"));
        }
        let environments = text
            .lines()
            .find_map(|line| line.strip_prefix(ENVIRONMENTS))
            .into_iter()
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().to_owned())
            .collect();
        let expectations = content["tests"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|test| test["alert_rule_test"].as_array().into_iter().flatten())
            .filter_map(|case| {
                let fires = case["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
                Some((case["alertname"].as_str()?.to_owned(), fires))
            })
            .collect();
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            environments,
            expectations,
        })
    }

    pub(super) fn is_for(&self, environment: &str) -> bool {
        self.environments.is_empty() || self.environments.iter().any(|name| name == environment)
    }

    pub(super) fn fires(&self, alert: &str) -> bool {
        self.expects(alert, true)
    }

    pub(super) fn stays_silent(&self, alert: &str) -> bool {
        self.expects(alert, false)
    }

    fn expects(&self, alert: &str, fires: bool) -> bool {
        self.expectations
            .iter()
            .any(|(name, expected)| name == alert && *expected == fires)
    }
}

/// Every file of cases under a folder; none at all is an error.
pub(super) fn all(folder: &Path) -> Result<Vec<CaseFile>, String> {
    let files = environments::yaml_files(folder).map_err(|error| format!("{error:#}"))?;
    if files.is_empty() {
        return Err(format!("{} holds no case", folder.display()));
    }
    files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            CaseFile::parse(&name, &text)
        })
        .collect()
}

#[test]
fn a_file_can_be_limited_to_environments() {
    let text = "# environments: oke, gke\nrule_files: [rules.yaml]\n";
    let case = CaseFile::parse("a.yaml", text).unwrap();
    assert!(case.is_for("gke") && !case.is_for("aks"));
    assert!(CaseFile::parse("a.yaml", "rule_files: [other.yaml]").is_err());
}
