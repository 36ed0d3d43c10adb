//! `PrometheusRule`, as far as it is used here (prometheus-operator, monitoring.coreos.com/v1).

use serde::Serialize;
use std::collections::BTreeMap;

/// `spec` of a `PrometheusRule`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PrometheusRuleSpec {
    /// Groups; each is evaluated in order, as one.
    pub(crate) groups: Vec<RuleGroup>,
}

/// A group of rules.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RuleGroup {
    /// Its name.
    pub(crate) name: String,
    /// Its rules.
    pub(crate) rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Rule {
    /// Name of the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<String>,
    /// Name of the recorded series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    /// The expression.
    pub(crate) expr: String,
    /// How long it must hold.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<String>,
    /// Labels of the alert.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Texts of the alert.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}
