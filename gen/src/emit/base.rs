//! Namespaces with their Pod Security level, quotas and priority classes.

use super::Inputs;
use crate::artefact::{Artefacts, Stage, cluster_meta, meta};
use crate::resolve::{NAMESPACE, OBSERVABILITY};
use k8s_openapi::api::core::v1::{Namespace, ResourceQuota, ResourceQuotaSpec};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;

const FAMILY: &str = "base";

/// Priority of what holds data, and of operators: evicted last.
pub(super) const PRIORITY_DATA: &str = "taskflow-data";
/// Priority of our services.
pub(super) const PRIORITY_SERVICE: &str = "taskflow-service";
/// Priority of what observes: evicted first.
pub(super) const PRIORITY_OBSERVABILITY: &str = "taskflow-observability";

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    for (name, level) in namespaces() {
        namespace(inputs, artefacts, name, level);
    }
    quota(artefacts);
    for (name, value, description) in [
        (
            PRIORITY_DATA,
            1_000_000,
            "Kafka, PostgreSQL and what operates them: evicted last.",
        ),
        (PRIORITY_SERVICE, 500_000, "TaskFlow's services."),
        (PRIORITY_OBSERVABILITY, 100_000, "Metrics and traces: evicted first."),
    ] {
        let class = PriorityClass {
            metadata: cluster_meta(name),
            value,
            description: Some(description.to_owned()),
            ..PriorityClass::default()
        };
        artefacts.add(FAMILY, Stage::Base, "/environment", &class);
    }
}

fn namespaces() -> [(&'static str, PodSecurity); 2] {
    [
        (NAMESPACE, PodSecurity::Restricted),
        (OBSERVABILITY, PodSecurity::Restricted),
    ]
}

/// A level of the Pod Security Standards.
#[derive(Clone, Copy, Debug)]
pub(super) enum PodSecurity {
    /// Hardened pods only.
    Restricted,
    /// Anything: node agents.
    Privileged,
}

/// A namespace whose pods are held to a level, pinned to the environment's Kubernetes version.
pub(super) fn namespace(inputs: Inputs<'_>, artefacts: &mut Artefacts, name: &str, level: PodSecurity) {
    let level = match level {
        PodSecurity::Restricted => "restricted",
        PodSecurity::Privileged => "privileged",
    };
    let version = format!("v{}", inputs.env.platform.kubernetes);
    let mut labels = BTreeMap::new();
    for mode in ["audit", "enforce", "warn"] {
        labels.insert(format!("pod-security.kubernetes.io/{mode}"), level.to_owned());
        labels.insert(format!("pod-security.kubernetes.io/{mode}-version"), version.clone());
    }
    let mut metadata = cluster_meta(name);
    metadata.labels = Some(labels);
    metadata.annotations = Some(never_pruned("pruning a namespace deletes every volume in it"));
    let namespace = Namespace {
        metadata,
        ..Namespace::default()
    };
    artefacts.add(FAMILY, Stage::Base, "/environment", &namespace);
}

/// Annotations of an object that stays when its file goes, and why: deleting it is for people.
pub(super) fn never_pruned(reason: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("kustomize.toolkit.fluxcd.io/prune".to_owned(), "disabled".to_owned()),
        ("taskflow.dev/never-pruned-because".to_owned(), reason.to_owned()),
    ])
}

/// A ceiling against runaway objects; the nodes' own size bounds processors and memory.
fn quota(artefacts: &mut Artefacts) {
    let hard = [
        ("pods", "200"),
        ("persistentvolumeclaims", "30"),
        ("services.loadbalancers", "2"),
    ];
    let quota = ResourceQuota {
        metadata: meta(NAMESPACE, "taskflow"),
        spec: Some(ResourceQuotaSpec {
            hard: Some(
                hard.map(|(what, most)| (what.to_owned(), Quantity(most.to_owned())))
                    .into(),
            ),
            ..ResourceQuotaSpec::default()
        }),
        ..ResourceQuota::default()
    };
    artefacts.add(FAMILY, Stage::Base, "/environment", &quota);
}
