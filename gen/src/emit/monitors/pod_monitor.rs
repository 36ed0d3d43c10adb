//! `PodMonitor`, as far as it is used here (prometheus-operator, monitoring.coreos.com/v1).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Serialize;

/// `spec` of a `PodMonitor`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodMonitorSpec {
    /// The pod label whose value becomes `job`; without it `job` is the monitor's namespace and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_label: Option<&'static str>,
    /// Where the pods are.
    pub(super) namespace_selector: NamespaceSelector,
    /// Which pods.
    pub(super) selector: LabelSelector,
    /// What is scraped of each.
    pub(super) pod_metrics_endpoints: Vec<Endpoint>,
}

/// Namespaces by name.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamespaceSelector {
    /// Their names.
    pub(super) match_names: Vec<&'static str>,
}

/// What is scraped of a pod.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Endpoint {
    /// Name of the container's port.
    pub(super) port: &'static str,
    /// The path; Prometheus's own is `/metrics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<&'static str>,
    /// Whether a label of the metric wins over one of the target: for exporters that speak of other objects.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) honor_labels: bool,
    /// Changes to the target's labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) relabelings: Vec<Relabeling>,
}

/// A change to a target's labels: sets `target_label`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relabeling {
    /// `replace`
    pub(super) action: &'static str,
    /// The label that is set.
    pub(super) target_label: &'static str,
    /// Its value.
    pub(super) replacement: &'static str,
}
