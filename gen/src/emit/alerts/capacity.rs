//! Room: volumes, nodes, memory; and secrets, which come from outside.
//!
//! What kube-prometheus-stack's own rules say about nodes and restarts is not said twice.

use super::definition::{Alert, Group, no_records};
use crate::resolve::{NAMESPACE, OBSERVABILITY, PlatformKind};
use crate::spec::observability::AlertSeverity::{Critical, Warning};
use crate::spec::secrets::Secrets;

/// Capacity.
pub(super) const GROUP: Group = Group {
    name: "capacity",
    pointer: "/platform",
    records: no_records,
    alerts: &[
        Alert {
            name: "VolumeFilling",
            hold: "10m",
            severity: Warning,
            summary: "A volume of metrics or traces is nearly full.",
            description: "{{ $value | humanizePercentage }} of the volume {{ $labels.persistentvolumeclaim }} is left.",
            expr: |scope| {
                (scope.env.platform.kind != PlatformKind::Minikube)
                    .then(|| volume_left(OBSERVABILITY, "!=\"\"", "0.15"))
            },
        },
        Alert {
            name: "PodsUnschedulable",
            hold: "15m",
            severity: Warning,
            summary: "A pod finds no node with room for it.",
            description: "{{ $labels.namespace }}/{{ $labels.pod }} has waited for a node for 15 minutes.",
            expr: |_| {
                Some(format!(
                    "max by (namespace, pod) (kube_pod_status_unschedulable{{{}}}) == 1",
                    ours()
                ))
            },
        },
        Alert {
            name: "ContainerOutOfMemory",
            hold: "",
            severity: Warning,
            summary: "A container was killed because it took more memory than it may.",
            description: "Container {{ $labels.container }} of {{ $labels.pod }} was killed at its memory limit within 15 minutes.",
            expr: |_| {
                let ours = ours();
                Some(format!(
                    "max by (namespace, pod, container) (kube_pod_container_status_last_terminated_reason{{{ours},reason=\"OOMKilled\"}}) == 1 \
                     and max by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total{{{ours}}}[15m])) > 0"
                ))
            },
        },
        Alert {
            name: "ExternalSecretNotSynced",
            hold: "15m",
            severity: Critical,
            summary: "A secret cannot be read from the vault: what is in the cluster grows old.",
            description: "ExternalSecret {{ $labels.namespace }}/{{ $labels.name }} is not ready.",
            expr: |scope| {
                matches!(scope.env.secrets, Secrets::ExternalSecrets(_)).then(|| {
                    "max by (namespace, name) (externalsecret_status_condition{condition=\"Ready\",status=\"False\"}) == 1"
                        .to_owned()
                })
            },
        },
    ],
};

fn ours() -> String {
    format!("namespace=~\"{NAMESPACE}|{OBSERVABILITY}\"")
}

/// The share of a volume that is left, where it is too small. `claims` is a matcher's operator and value.
pub(super) fn volume_left(namespace: &str, claims: &str, least: &str) -> String {
    let of = |what: &str| {
        let by = "max by (namespace, persistentvolumeclaim)";
        format!("{by} (kubelet_volume_stats_{what}_bytes{{namespace=\"{namespace}\",persistentvolumeclaim{claims}}})")
    };
    format!("{} / {} < {least}", of("available"), of("capacity"))
}
