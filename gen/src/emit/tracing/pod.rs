//! What the pods of this family have in common.

use super::super::base::PRIORITY_OBSERVABILITY;
use super::super::container::unprivileged;
use super::FAMILY;
use crate::artefact::{Artefacts, Stage, meta};
use crate::resolve::{Environment, OBSERVABILITY};
use crate::spec::units::Bytes;
use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, EnvVar, EnvVarSource, HTTPGetAction, PodSecurityContext, PodSpec, Probe, SeccompProfile,
    SecretKeySelector, SecurityContext, Service, ServiceAccount, ServicePort, ServiceSpec, TopologySpreadConstraint,
    Volume,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;

/// The label that names a workload; selectors are made of it alone.
pub(super) fn selector(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/name".to_owned(), name.to_owned())])
}

/// The labels of a workload, its pods and its Service.
pub(super) fn labels(name: &str, component: &str) -> BTreeMap<String, String> {
    let mut labels = selector(name);
    labels.insert("app.kubernetes.io/component".to_owned(), component.to_owned());
    labels.insert("app.kubernetes.io/part-of".to_owned(), "taskflow".to_owned());
    labels
}

/// Metadata with these labels.
pub(super) fn metadata(name: &str, component: &str) -> ObjectMeta {
    ObjectMeta {
        labels: Some(labels(name, component)),
        ..meta(OBSERVABILITY, name)
    }
}

/// A selector of pods.
pub(super) fn pods(name: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector(name)),
        ..LabelSelector::default()
    }
}

/// An account of its own without any right, so that nothing is inherited from `default`.
pub(super) fn account(artefacts: &mut Artefacts, name: &str, component: &str) {
    let account = ServiceAccount {
        metadata: metadata(name, component),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &account);
}

/// What every pod has: no token, no variables of neighbours, a user that is not root.
pub(super) fn spec(account: &str, user: i64) -> PodSpec {
    PodSpec {
        service_account_name: Some(account.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        priority_class_name: Some(PRIORITY_OBSERVABILITY.to_owned()),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(user),
            run_as_group: Some(user),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

/// Pods apart: on other nodes where there are any, in other zones where nodes say theirs.
pub(super) fn spread(env: &Environment, name: &str) -> Vec<TopologySpreadConstraint> {
    let zone = (env.platform.zones > 1).then_some("topology.kubernetes.io/zone");
    zone.into_iter()
        .chain(["kubernetes.io/hostname"])
        .map(|key| TopologySpreadConstraint {
            topology_key: key.to_owned(),
            max_skew: 1,
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            label_selector: Some(pods(name)),
            ..TopologySpreadConstraint::default()
        })
        .collect()
}

/// What every container has under the `restricted` Pod Security Standard; a writable root is the exception.
pub(super) fn security(read_only: bool) -> SecurityContext {
    SecurityContext {
        read_only_root_filesystem: Some(read_only),
        ..unprivileged()
    }
}

/// A probe over HTTP.
pub(super) fn http_probe(path: &str, port: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(port.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(3),
        ..Probe::default()
    }
}

/// A variable with a value.
pub(super) fn variable(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.into()),
        ..EnvVar::default()
    }
}

/// A variable from a Secret.
pub(super) fn secret_variable(name: &str, secret: &str, key: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.to_owned(),
                key: key.to_owned(),
                optional: None,
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}

/// A folder that lives as long as its pod.
pub(super) fn scratch(name: &str, size: Bytes) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            size_limit: Some(Quantity(size.to_string())),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// A Service; a headless one answers with the addresses of its ready pods.
pub(super) fn service(name: &str, component: &str, headless: bool, ports: &[(&str, u16, Option<&str>)]) -> Service {
    Service {
        metadata: metadata(name, component),
        spec: Some(ServiceSpec {
            cluster_ip: headless.then(|| "None".to_owned()),
            selector: Some(selector(name)),
            ports: Some(
                ports
                    .iter()
                    .map(|(port, number, protocol)| ServicePort {
                        name: Some((*port).to_owned()),
                        port: i32::from(*number),
                        target_port: Some(IntOrString::String((*port).to_owned())),
                        app_protocol: protocol.map(str::to_owned),
                        ..ServicePort::default()
                    })
                    .collect(),
            ),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// One pod may go at a time; a pod that is not healthy may always go. None for a single pod, which it would chain to
/// its node.
pub(super) fn budget(artefacts: &mut Artefacts, name: &str, component: &str, replicas: u32) {
    if replicas < 2 {
        return;
    }
    let budget = PodDisruptionBudget {
        metadata: metadata(name, component),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(pods(name)),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &budget);
}
