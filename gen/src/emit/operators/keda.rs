//! KEDA.

use super::{Resources, Size, Strategy, Workload, install, replaced, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PRIORITY_DATA, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::resolve::{NAMESPACE, ScalerKind};
use crate::spec::Part;
use serde::Serialize;
use std::collections::BTreeMap;

const SYSTEM: &str = "keda";

const OPERATOR: Size = size(5, 112, "resident size measured, 104 MiB");
const METRICS: Size = size(5, 72, "estimate; the chart asks for 100 MiB");
const OPERATOR_IN_PRODUCTION: Size = size(
    100,
    128,
    "resident size measured, 104 MiB; the chart's processor request",
);
const OTHERS_IN_PRODUCTION: Size = size(100, 100, "the chart's own");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    crds: Crds,
    image: Image,
    watch_namespace: &'static str,
    priority_class_name: &'static str,
    operator: Replicas,
    metrics_server: Replicas,
    webhooks: Enabled,
    upgrade_strategy: Each<Strategy>,
    resources: ResourcesOfEach,
    prometheus: Prometheus,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Crds {
    install: bool,
    additional_annotations: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    pull_policy: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replicas {
    replica_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Each<T> {
    operator: T,
    metrics_api_server: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourcesOfEach {
    operator: Resources,
    metric_server: Resources,
}

/// Metrics ports; the monitors stand elsewhere, since their kind arrives with another release of this very stage.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prometheus {
    operator: Enabled,
    metric_server: Enabled,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let is_asked_for = matches!(inputs.env.autoscaler.kind, ScalerKind::Keda { .. });
    if !is_asked_for || !inputs.env.has(Part::Keda) {
        return;
    }
    base::namespace(inputs, artefacts, SYSTEM, PodSecurity::Restricted);
    let (replicas, [operator, metrics]) = if inputs.env.is_production() {
        (2, [OPERATOR_IN_PRODUCTION, OTHERS_IN_PRODUCTION])
    } else {
        (1, [OPERATOR, METRICS])
    };
    let replaced = replaced(inputs);
    let count = |replica_count| Replicas { replica_count };
    let values = Values {
        crds: Crds {
            install: true,
            // Removing the release must not remove every ScaledObject with it.
            additional_annotations: BTreeMap::from([("helm.sh/resource-policy", "keep")]),
        },
        // The chart's `Always` asks the registry at every start, for an image that is pinned.
        image: Image {
            pull_policy: "IfNotPresent",
        },
        watch_namespace: NAMESPACE,
        priority_class_name: PRIORITY_DATA,
        operator: count(replicas),
        metrics_server: count(replicas),
        // It refuses a ScaledObject on processor use whose Deployment is not there yet, which is every first release
        // (kedacore/keda:apis/keda/v1alpha1/scaledobject_webhook.go). What else it refuses, gen refuses.
        webhooks: Enabled { enabled: false },
        upgrade_strategy: Each {
            operator: Strategy::of(replaced),
            metrics_api_server: Strategy::of(replaced),
        },
        resources: ResourcesOfEach {
            operator: operator.resources(),
            metric_server: metrics.resources(),
        },
        prometheus: Prometheus {
            operator: Enabled { enabled: true },
            metric_server: Enabled { enabled: true },
        },
    };
    // The operator makes its own certificates, and tells the API server.
    let release =
        Release::of_others(pins::KEDA, SYSTEM, &values).changed_by_others("APIService", &["/spec/caBundle".to_owned()]);
    install(
        artefacts,
        "/autoscaler/keda",
        &release,
        &["keda.sh", "eventing.keda.sh"],
    );
    for (name, replicas, size) in [
        ("keda-operator", replicas, operator),
        ("keda-operator-metrics-apiserver", replicas, metrics),
    ] {
        Workload {
            name,
            namespace: SYSTEM,
            replicas,
            replaced,
            size,
            volume: None,
        }
        .counted(artefacts);
    }
}
