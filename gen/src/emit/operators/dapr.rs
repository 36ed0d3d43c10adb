//! Dapr's control plane.

use super::{Replaced, Resources, Size, Workload, authority_of_webhooks, install, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PRIORITY_DATA, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::resolve::{Dapr, NAMESPACE};
use crate::spec::Part;
use crate::spec::units::Bytes;
use serde::Serialize;

const SYSTEM: &str = "dapr-system";
/// Schedulers: the chart's own number, whatever is asked (`dapr_scheduler_statefulset.yaml`).
const SCHEDULERS: u32 = 3;
/// Volume of a Scheduler: the chart's own since 1.17.
const SCHEDULER_VOLUME: Bytes = Bytes::gi(16);
/// A few thousand jobs, and etcd's two log segments of 64 MB.
const SCHEDULER_VOLUME_ELSEWHERE: Bytes = Bytes::gi(1);

fn scheduler_volume(inputs: Inputs<'_>) -> Bytes {
    inputs.env.platform.volume(if inputs.env.is_production() {
        SCHEDULER_VOLUME
    } else {
        SCHEDULER_VOLUME_ELSEWHERE
    })
}

const IDLE: &str = "Dapr's documentation measured 13 to 15 MB and 5m at 1.0; room for what came since";
/// They also advise against memory limits: an authority that is killed takes every connection with it.
const GUIDELINES: &str = "Dapr's production guidelines, memory at least doubled where they say 30 MiB";

const OPERATOR: Size = size(5, 64, IDLE);
const SENTRY: Size = size(5, 40, IDLE);
const INJECTOR: Size = size(5, 40, IDLE);
const OPERATOR_IN_PRODUCTION: Size = size(100, 100, GUIDELINES).unlimited();
const SENTRY_IN_PRODUCTION: Size = size(100, 64, GUIDELINES).unlimited();
const INJECTOR_IN_PRODUCTION: Size = size(100, 64, GUIDELINES).unlimited();
/// In memory etcd's log counts as the pod's memory: the segment in use and the next one, 64 MB each, are allocated
/// at once (etcd `server/storage/wal`: `SegmentSizeBytes`, `filePipeline`).
const SCHEDULER_IN_MEMORY: Size = size(5, 224, "resident size measured, 69 MiB, and two log segments of 64 MB");
const SCHEDULER_ON_VOLUME: Size =
    size(50, 128, "resident size measured, 69 MiB, and room for its database").unlimited();

#[derive(Serialize)]
struct Values {
    global: Global,
    dapr_operator: Component,
    dapr_sentry: Component,
    dapr_sidecar_injector: Injector,
    dapr_scheduler: Scheduler,
    dapr_rbac: Rbac,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Global {
    log_as_json: bool,
    seccomp_profile: &'static str,
    priority_class_name: &'static str,
    ha: HighAvailability,
    mtls: Enabled,
    prometheus: Enabled,
    actors: Enabled,
    scheduler: Enabled,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HighAvailability {
    enabled: bool,
    topology_key: &'static str,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
struct Component {
    resources: Resources,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Injector {
    resources: Resources,
    webhook_failure_policy: &'static str,
    namespace_selector: Selector,
    object_selector: Selector,
    #[serde(rename = "sidecarDropALLCapabilities")]
    sidecar_drop_all_capabilities: bool,
    sidecar_run_as_non_root: bool,
    sidecar_read_only_root_filesystem: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_expressions: Vec<Expression>,
}

#[derive(Serialize)]
struct Expression {
    key: &'static str,
    operator: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scheduler {
    resources: Resources,
    cluster: SchedulerCluster,
    etcd_max_snapshots: u32,
    etcd_max_wals: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SchedulerCluster {
    in_memory_storage: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_size: Option<Bytes>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rbac {
    secret_reader: Enabled,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let Some(dapr) = inputs.env.dapr.as_ref().filter(|_| inputs.env.has(Part::Dapr)) else {
        return;
    };
    base::namespace(inputs, artefacts, SYSTEM, PodSecurity::Restricted);
    let values = values(inputs, dapr);
    let mut release = Release::of_others(pins::DAPR, SYSTEM, &values)
        .changed_by_others("MutatingWebhookConfiguration", &authority_of_webhooks(1));
    if inputs.env.platform.kind == crate::resolve::PlatformKind::Aks {
        // AKS adds its own namespaces to every webhook's exceptions, again and again.
        release = release.changed_by_others(
            "MutatingWebhookConfiguration",
            &["/webhooks/0/namespaceSelector".to_owned()],
        );
    }
    install(artefacts, "/dapr", &release, &["dapr.io"]);
    count(inputs, dapr, artefacts);
}

fn sizes(inputs: Inputs<'_>) -> [Size; 3] {
    if inputs.env.is_production() {
        [OPERATOR_IN_PRODUCTION, SENTRY_IN_PRODUCTION, INJECTOR_IN_PRODUCTION]
    } else {
        [OPERATOR, SENTRY, INJECTOR]
    }
}

fn scheduler_size(dapr: &Dapr) -> Size {
    if dapr.scheduler_in_memory {
        SCHEDULER_IN_MEMORY
    } else {
        SCHEDULER_ON_VOLUME
    }
}

fn values(inputs: Inputs<'_>, dapr: &Dapr) -> Values {
    let platform = &inputs.env.platform;
    let [operator, sentry, injector] = sizes(inputs);
    let on = || Enabled { enabled: true };
    let off = || Enabled { enabled: false };
    Values {
        global: Global {
            log_as_json: true,
            seccomp_profile: "RuntimeDefault",
            priority_class_name: PRIORITY_DATA,
            ha: HighAvailability {
                enabled: inputs.env.is_production(),
                topology_key: if platform.zones > 1 {
                    "topology.kubernetes.io/zone"
                } else {
                    "kubernetes.io/hostname"
                },
            },
            mtls: on(),
            prometheus: on(),
            // Nothing here is an actor; without them there is no placement service either.
            actors: off(),
            scheduler: on(),
        },
        dapr_operator: Component {
            resources: operator.resources(),
        },
        dapr_sentry: Component {
            resources: sentry.resources(),
        },
        dapr_sidecar_injector: injector_values(injector),
        dapr_scheduler: Scheduler {
            resources: scheduler_size(dapr).resources(),
            cluster: SchedulerCluster {
                in_memory_storage: dapr.scheduler_in_memory,
                storage_class_name: (!dapr.scheduler_in_memory).then_some(platform.storage_class),
                storage_size: (!dapr.scheduler_in_memory).then(|| scheduler_volume(inputs)),
            },
            etcd_max_snapshots: if dapr.scheduler_in_memory { 2 } else { 10 },
            etcd_max_wals: if dapr.scheduler_in_memory { 2 } else { 10 },
        },
        // Components name their Secrets, and the operator reads those; no pod needs to read Secrets itself.
        dapr_rbac: Rbac { secret_reader: off() },
    }
}

/// A pod that should have a sidecar waits for the injector rather than start without. The webhook sees our services'
/// namespace only, and there neither Kafka nor PostgreSQL: by default it sees every pod of the cluster, and then an
/// injector that is away keeps everything from starting, itself included.
fn injector_values(injector: Size) -> Injector {
    let absent = |key| Expression {
        key,
        operator: "DoesNotExist",
        values: Vec::new(),
    };
    Injector {
        resources: injector.resources(),
        webhook_failure_policy: "Fail",
        namespace_selector: Selector {
            match_expressions: vec![Expression {
                key: "kubernetes.io/metadata.name",
                operator: "In",
                values: vec![NAMESPACE],
            }],
        },
        object_selector: Selector {
            match_expressions: vec![absent("cnpg.io/cluster"), absent("strimzi.io/cluster")],
        },
        // Pod Security `restricted` refuses a sidecar that keeps its capabilities, which is the chart's default.
        sidecar_drop_all_capabilities: true,
        sidecar_run_as_non_root: true,
        sidecar_read_only_root_filesystem: true,
    }
}

fn count(inputs: Inputs<'_>, dapr: &Dapr, artefacts: &mut Artefacts) {
    let replicas = if inputs.env.is_production() { 3 } else { 1 };
    let [operator, sentry, injector] = sizes(inputs);
    for (name, size) in [
        ("dapr-operator", operator),
        ("dapr-sentry", sentry),
        ("dapr-sidecar-injector", injector),
    ] {
        Workload {
            name,
            namespace: SYSTEM,
            replicas,
            // The chart has no value for it.
            replaced: Replaced::Rolling,
            size,
            volume: None,
        }
        .counted(artefacts);
    }
    Workload {
        name: "dapr-scheduler-server",
        namespace: SYSTEM,
        replicas: SCHEDULERS,
        replaced: Replaced::InPlace,
        size: scheduler_size(dapr),
        volume: (!dapr.scheduler_in_memory).then(|| scheduler_volume(inputs)),
    }
    .counted(artefacts);
}
