//! The values of kube-prometheus-stack.

use super::super::{Resources, Strategy, replaced};
use super::{NODE_AGENTS, Sizes, alertmanagers};
use crate::emit::Inputs;
use crate::emit::base::PRIORITY_OBSERVABILITY;
use crate::resolve::PlatformKind;
use crate::spec::Part;
use crate::spec::units::Bytes;
use serde::Serialize;

/// What Prometheus may fill where it has no volume.
const WITHOUT_VOLUME: Bytes = Bytes::gi(5);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Values {
    clean_prometheus_operator_object_names: bool,
    crds: Enabled,
    default_rules: Created,
    grafana: Grafana,
    alertmanager: Alertmanager,
    prometheus: Prometheus,
    prometheus_operator: Operator,
    kube_state_metrics: Enabled,
    #[serde(rename = "kube-state-metrics")]
    state: State,
    node_exporter: Enabled,
    #[serde(rename = "prometheus-node-exporter")]
    node_agent: NodeAgent,
    kube_api_server: Enabled,
    core_dns: Enabled,
    kube_controller_manager: Enabled,
    kube_etcd: Enabled,
    kube_proxy: Enabled,
    kube_scheduler: Enabled,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
struct Created {
    create: bool,
}

/// Grafana is a release of its own; its data source and dashboards come from here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Grafana {
    enabled: bool,
    force_deploy_dashboards: bool,
    force_deploy_datasources: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alertmanager {
    enabled: bool,
    pod_disruption_budget: Enabled,
    #[serde(rename = "alertmanagerSpec", skip_serializing_if = "Option::is_none")]
    spec: Option<AlertmanagerSpec>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertmanagerSpec {
    replicas: u32,
    priority_class_name: &'static str,
    resources: Resources,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prometheus {
    prometheus_spec: PrometheusSpec,
}

#[expect(clippy::struct_excessive_bools, reason = "the chart's own switches")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrometheusSpec {
    retention: String,
    retention_size: String,
    storage_spec: StorageSpec,
    priority_class_name: &'static str,
    resources: Resources,
    // By default Prometheus passes over every rule and monitor without this release's label, silently.
    rule_selector_nil_uses_helm_values: bool,
    service_monitor_selector_nil_uses_helm_values: bool,
    pod_monitor_selector_nil_uses_helm_values: bool,
    probe_selector_nil_uses_helm_values: bool,
    scrape_config_selector_nil_uses_helm_values: bool,
}

/// One of both.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct StorageSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_claim_template: Option<ClaimTemplate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_dir: Option<EmptyDir>,
}

#[derive(Serialize)]
struct ClaimTemplate {
    spec: Claim,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    storage_class_name: &'static str,
    access_modes: [&'static str; 1],
    resources: ClaimResources,
}

#[derive(Serialize)]
struct ClaimResources {
    requests: ClaimRequests,
}

#[derive(Serialize)]
struct ClaimRequests {
    storage: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmptyDir {
    size_limit: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operator {
    strategy: Strategy,
    priority_class_name: &'static str,
    resources: Resources,
    prometheus_config_reloader: Reloader,
    admission_webhooks: Enabled,
    tls: Enabled,
}

#[derive(Serialize)]
struct Reloader {
    resources: Resources,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    priority_class_name: &'static str,
    collectors_exclude: Vec<&'static str>,
    resources: Resources,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeAgent {
    namespace_override: &'static str,
    priority_class_name: &'static str,
    resources: Resources,
}

pub(super) fn of(inputs: Inputs<'_>, sizes: &Sizes) -> Values {
    let env = inputs.env;
    let production = env.is_production();
    let enabled = |enabled| Enabled { enabled };
    let grafana = env.has(Part::Grafana);
    Values {
        clean_prometheus_operator_object_names: true,
        crds: enabled(true),
        // The general alerts about a cluster; a small Prometheus has no room for the series that they need.
        default_rules: Created { create: production },
        grafana: Grafana {
            enabled: false,
            force_deploy_dashboards: grafana,
            force_deploy_datasources: grafana,
        },
        alertmanager: alertmanager(inputs, sizes),
        prometheus: Prometheus {
            prometheus_spec: prometheus(inputs, sizes),
        },
        prometheus_operator: Operator {
            strategy: Strategy::of(replaced(inputs)),
            priority_class_name: PRIORITY_OBSERVABILITY,
            resources: sizes.operator.resources(),
            prometheus_config_reloader: Reloader {
                resources: sizes.reloader.resources(),
            },
            // It would check rules that were checked before they were committed, with two hook Jobs at every upgrade
            // and fields that the release and they set in turn.
            admission_webhooks: enabled(false),
            tls: enabled(false),
        },
        kube_state_metrics: enabled(true),
        state: State {
            priority_class_name: PRIORITY_OBSERVABILITY,
            // To count Secrets it would have to be allowed to read every one of them.
            collectors_exclude: vec!["secrets"],
            resources: sizes.state.resources(),
        },
        node_exporter: enabled(env.has(Part::NodeExporter)),
        node_agent: NodeAgent {
            namespace_override: NODE_AGENTS,
            priority_class_name: PRIORITY_OBSERVABILITY,
            resources: sizes.node_agent.resources(),
        },
        // Its histograms are half of all series in a small cluster.
        kube_api_server: enabled(production),
        core_dns: enabled(env.platform.kind != PlatformKind::Gke),
        // No platform here lets anybody scrape them, so that alerts on them would always fire.
        kube_controller_manager: enabled(false),
        kube_etcd: enabled(false),
        kube_proxy: enabled(false),
        kube_scheduler: enabled(false),
    }
}

fn alertmanager(inputs: Inputs<'_>, sizes: &Sizes) -> Alertmanager {
    let is_there = inputs.env.has(Part::Alertmanager);
    let replicas = alertmanagers(inputs);
    Alertmanager {
        enabled: is_there,
        pod_disruption_budget: Enabled {
            enabled: is_there && replicas > 1,
        },
        spec: is_there.then(|| AlertmanagerSpec {
            replicas,
            priority_class_name: PRIORITY_OBSERVABILITY,
            resources: sizes.alertmanager.resources(),
        }),
    }
}

fn prometheus(inputs: Inputs<'_>, sizes: &Sizes) -> PrometheusSpec {
    let env = inputs.env;
    let volume = env.metrics.volume.map(|volume| env.platform.volume(volume));
    let room = volume.unwrap_or(WITHOUT_VOLUME);
    PrometheusSpec {
        retention: env.metrics.retention.to_string(),
        retention_size: retention_size(room),
        storage_spec: StorageSpec {
            volume_claim_template: volume.map(|storage| ClaimTemplate {
                spec: Claim {
                    storage_class_name: env.platform.storage_class,
                    access_modes: ["ReadWriteOnce"],
                    resources: ClaimResources {
                        requests: ClaimRequests { storage },
                    },
                },
            }),
            empty_dir: volume.is_none().then_some(EmptyDir { size_limit: room }),
        },
        priority_class_name: PRIORITY_OBSERVABILITY,
        resources: sizes.prometheus.resources(),
        rule_selector_nil_uses_helm_values: false,
        service_monitor_selector_nil_uses_helm_values: false,
        pod_monitor_selector_nil_uses_helm_values: false,
        probe_selector_nil_uses_helm_values: false,
        scrape_config_selector_nil_uses_helm_values: false,
    }
}

/// Four fifths of the room: what is being compacted comes on top, and a full volume stops Prometheus for good.
fn retention_size(room: Bytes) -> String {
    format!("{}MiB", (room.0 >> 20) * 4 / 5)
}
