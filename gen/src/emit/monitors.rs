//! What Prometheus scrapes, by `PodMonitor`: no Service is needed, and every pod is a target of its own.

mod pod_monitor;

use super::{FLUX_NAMESPACE, Inputs, tracing};
use crate::artefact::{Artefacts, Resource, Stage, meta};
use crate::resolve::{Cluster, Environment, Kafka, NAMESPACE, OBSERVABILITY, Service};
use crate::spec::secrets::Secrets;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use pod_monitor::{Endpoint, NamespaceSelector, PodMonitorSpec, Relabeling};
use std::collections::BTreeMap;

const FAMILY: &str = "monitors";

/// The pod label that names a workload.
const NAME: &str = "app.kubernetes.io/name";

/// The value of `job` for every Dapr sidecar; the service's own metrics have its app id there.
pub(super) const SIDECAR_JOB: &str = "daprd";

/// The ports that Strimzi's pods serve metrics on (strimzi/strimzi-kafka-operator: `MetricsModel`).
const STRIMZI_PORT: &str = "tcp-prometheus";

/// The controllers of Flux that work here (fluxcd/flux2-monitoring-example: `monitoring/configs/podmonitor.yaml`).
const FLUX_CONTROLLERS: &[&str] = &[
    "helm-controller",
    "kustomize-controller",
    "notification-controller",
    "source-controller",
];

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let env = inputs.env;
    services(env, artefacts);
    collectors(env, artefacts);
    kafka(env, artefacts);
    if env.dapr.is_some() {
        dapr(artefacts);
    }
    if env.postgres.cluster.is_some() {
        let cluster = labelled("cnpg.io/cluster", Cluster::NAME);
        add(
            artefacts,
            "postgres",
            env.postgres.pointer,
            of(NAMESPACE, cluster, "metrics"),
        );
        let operator = labelled(NAME, "cloudnative-pg");
        add(
            artefacts,
            "cloudnative-pg",
            env.postgres.pointer,
            of("cnpg-system", operator, "metrics"),
        );
    }
    others(env, artefacts);
}

fn services(env: &Environment, artefacts: &mut Artefacts) {
    let with_metrics = env
        .services
        .iter()
        .filter(|service| service.entry.metrics_port.is_some());
    let names = with_metrics.map(Service::app_id).collect();
    let pods = LabelSelector {
        match_labels: Some(BTreeMap::from([(
            "app.kubernetes.io/part-of".to_owned(),
            "taskflow".to_owned(),
        )])),
        ..one_of(NAME, names)
    };
    add(artefacts, "services", "/services", of(NAMESPACE, pods, "metrics"));
}

fn collectors(env: &Environment, artefacts: &mut Artefacts) {
    let mut names = vec![tracing::COLLECTOR];
    if env.tracing.balancers > 0 {
        names.push(tracing::SAMPLER);
    }
    add(
        artefacts,
        "otel-collectors",
        "/tracing",
        of(OBSERVABILITY, one_of(NAME, names), "metrics"),
    );
}

fn kafka(env: &Environment, artefacts: &mut Artefacts) {
    if env.kafka.strimzi().is_none() {
        let exporter = labelled(NAME, "kafka-exporter");
        add(
            artefacts,
            "kafka-exporter",
            "/kafka",
            of(NAMESPACE, exporter, "metrics"),
        );
        return;
    }
    // Brokers, controllers and the exporter; the operator names each in app.kubernetes.io/name.
    let mut pods = one_of(NAME, vec!["kafka", "kafka-exporter"]);
    pods.match_labels = labelled("strimzi.io/cluster", Kafka::CLUSTER).match_labels;
    add(artefacts, "kafka", "/kafka", of(NAMESPACE, pods, STRIMZI_PORT));
    let operator = labelled("strimzi.io/kind", "cluster-operator");
    add(artefacts, "strimzi", "/kafka", of("strimzi-system", operator, "http"));
}

/// Sidecars are found by the label that the injector sets (dapr/dapr: `pkg/injector/consts`); the pod's own name label
/// already is the `job` of its service.
fn dapr(artefacts: &mut Artefacts) {
    let mut sidecars = of(NAMESPACE, labelled("dapr.io/metrics-enabled", "true"), "dapr-metrics");
    sidecars.job_label = None;
    for endpoint in &mut sidecars.pod_metrics_endpoints {
        endpoint.relabelings.push(Relabeling {
            action: "replace",
            target_label: "job",
            replacement: SIDECAR_JOB,
        });
    }
    add(artefacts, "dapr-sidecars", "/dapr", sidecars);
    let control_plane = vec![
        "dapr-operator",
        "dapr-scheduler-server",
        "dapr-sentry",
        "dapr-sidecar-injector",
    ];
    let mut control_plane = of("dapr-system", one_of("app", control_plane), "metrics");
    control_plane.job_label = Some("app");
    add(artefacts, "dapr-control-plane", "/dapr", control_plane);
}

/// Operators that speak of other objects: what they say about a namespace or pod wins over where they run themselves.
fn others(env: &Environment, artefacts: &mut Artefacts) {
    let operators = [
        (
            env.autoscaler.has_keda,
            (
                "keda",
                "/autoscaler",
                "keda",
                labelled(NAME, "keda-operator"),
                "metrics",
            ),
        ),
        (
            matches!(env.secrets, Secrets::ExternalSecrets(_)),
            (
                "external-secrets",
                "/secrets",
                "external-secrets",
                labelled(NAME, "external-secrets"),
                "metrics",
            ),
        ),
        (
            true,
            (
                "flux",
                "/gitops",
                FLUX_NAMESPACE,
                one_of("app", FLUX_CONTROLLERS.to_vec()),
                "http-prom",
            ),
        ),
    ];
    for (_, (name, pointer, namespace, pods, port)) in operators.into_iter().filter(|(is_here, _)| *is_here) {
        let mut monitor = of(namespace, pods, port);
        if name == "flux" {
            monitor.job_label = Some("app");
        }
        for endpoint in &mut monitor.pod_metrics_endpoints {
            endpoint.honor_labels = true;
        }
        add(artefacts, name, pointer, monitor);
    }
}

/// Pods of one namespace, scraped on one port; `job` is their name.
fn of(namespace: &'static str, selector: LabelSelector, port: &'static str) -> PodMonitorSpec {
    PodMonitorSpec {
        job_label: Some(NAME),
        namespace_selector: NamespaceSelector {
            match_names: vec![namespace],
        },
        selector,
        pod_metrics_endpoints: vec![Endpoint {
            port,
            // Dapr answers any path; all others use this one.
            path: Some("/metrics"),
            ..Endpoint::default()
        }],
    }
}

fn labelled(key: &str, value: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(BTreeMap::from([(key.to_owned(), value.to_owned())])),
        ..LabelSelector::default()
    }
}

fn one_of(key: &str, values: Vec<&str>) -> LabelSelector {
    LabelSelector {
        match_expressions: Some(vec![LabelSelectorRequirement {
            key: key.to_owned(),
            operator: "In".to_owned(),
            values: Some(values.into_iter().map(str::to_owned).collect()),
        }]),
        ..LabelSelector::default()
    }
}

fn add(artefacts: &mut Artefacts, name: &str, pointer: &str, spec: PodMonitorSpec) {
    let mut metadata = meta(OBSERVABILITY, name);
    metadata.labels = Some(BTreeMap::from([(
        "app.kubernetes.io/component".to_owned(),
        "monitor".to_owned(),
    )]));
    let monitor = Resource::new("monitoring.coreos.com/v1", "PodMonitor", metadata, spec);
    artefacts.add(FAMILY, Stage::Observability, pointer, &monitor);
}
