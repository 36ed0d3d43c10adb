//! The collectors.

use super::super::{Inputs, container};
use super::config::{self, Config, HEALTH_PORT, METRICS_PORT};
use super::sizing::{self, Size};
use super::{COLLECTOR, FAMILY, OTLP_GRPC, OTLP_HTTP, SAMPLER, pod};
use crate::artefact::{Artefacts, Footprint, Stage};
use crate::output::sha256;
use crate::pins;
use crate::resolve::OBSERVABILITY;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment, StatefulSet, StatefulSetSpec,
};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, PodSpec, PodTemplateSpec, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;

const COMPONENT: &str = "collector";

/// The user of the image (open-telemetry/opentelemetry-collector-releases: `distributions/otelcol-contrib/Dockerfile`).
const USER: i64 = 10001;

/// The file in the `ConfigMap`.
const FILE: &str = "collector.yaml";
const FOLDER: &str = "/etc/otelcol";

/// A stopping sampler decides about everything that it holds and sends it on.
const GRACE_SECONDS: i64 = 60;

const SERVED: [(&str, u16, Option<&str>); 2] = [
    ("otlp-grpc", OTLP_GRPC, Some("grpc")),
    ("otlp-http", OTLP_HTTP, Some("http")),
];

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let tracing = &inputs.env.tracing;
    let sampler = sizing::sampler(inputs);
    let deciding = config::sampler(inputs, sampler.memory);
    if tracing.balancers == 0 {
        deployment(inputs, artefacts, tracing.samplers, sampler, &deciding);
    } else {
        let balancer = sizing::balancer(inputs);
        let balancing = config::balancer(balancer.memory);
        deployment(inputs, artefacts, tracing.balancers, balancer, &balancing);
        stateful_set(inputs, artefacts, tracing.samplers, sampler, &deciding);
    }
}

fn deployment(inputs: Inputs<'_>, artefacts: &mut Artefacts, replicas: u32, size: Size, config: &Config) {
    let template = template(inputs, artefacts, COLLECTOR, size, config);
    let deployment = Deployment {
        metadata: pod::metadata(COLLECTOR, COMPONENT),
        spec: Some(DeploymentSpec {
            replicas: Some(count(replicas)),
            revision_history_limit: Some(3),
            selector: pod::pods(COLLECTOR),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &deployment);
    let service = pod::service(COLLECTOR, COMPONENT, false, &SERVED);
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &service);
    pod::budget(artefacts, COLLECTOR, COMPONENT, replicas);
    footprint(artefacts, COLLECTOR, replicas + 1, size);
}

/// A `StatefulSet`, because names that stay let most traces find the sampler they had before a restart.
fn stateful_set(inputs: Inputs<'_>, artefacts: &mut Artefacts, replicas: u32, size: Size, config: &Config) {
    let template = template(inputs, artefacts, SAMPLER, size, config);
    let set = StatefulSet {
        metadata: pod::metadata(SAMPLER, COMPONENT),
        spec: Some(StatefulSetSpec {
            replicas: Some(count(replicas)),
            revision_history_limit: Some(3),
            service_name: Some(SAMPLER.to_owned()),
            pod_management_policy: Some("Parallel".to_owned()),
            selector: pod::pods(SAMPLER),
            template,
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &set);
    let service = pod::service(SAMPLER, COMPONENT, true, &SERVED);
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &service);
    pod::budget(artefacts, SAMPLER, COMPONENT, replicas);
    footprint(artefacts, SAMPLER, replicas, size);
}

fn template(inputs: Inputs<'_>, artefacts: &mut Artefacts, name: &str, size: Size, config: &Config) -> PodTemplateSpec {
    let text = serde_yaml::to_string(config).expect("our own types serialise");
    let map = ConfigMap {
        metadata: pod::metadata(name, COMPONENT),
        data: Some(BTreeMap::from([(FILE.to_owned(), text.clone())])),
        ..ConfigMap::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing", &map);
    pod::account(artefacts, name, COMPONENT);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(pod::labels(name, COMPONENT)),
            // Changes the pods when their configuration changes; the ConfigMap keeps its name.
            annotations: Some(BTreeMap::from([(
                "checksum/config".to_owned(),
                sha256(text.as_bytes()),
            )])),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            containers: vec![container(size)],
            topology_spread_constraints: Some(pod::spread(inputs.env, name)),
            termination_grace_period_seconds: Some(GRACE_SECONDS),
            volumes: Some(vec![Volume {
                name: "config".to_owned(),
                config_map: Some(ConfigMapVolumeSource {
                    name: name.to_owned(),
                    ..ConfigMapVolumeSource::default()
                }),
                ..Volume::default()
            }]),
            ..pod::spec(name, USER)
        }),
    }
}

fn container(size: Size) -> Container {
    let port = |name: &str, number: u16| ContainerPort {
        name: Some(name.to_owned()),
        container_port: i32::from(number),
        ..ContainerPort::default()
    };
    // Go collects more eagerly before the limiter has to refuse.
    let soft_limit = format!("{}MiB", (size.memory.0 >> 20) * 4 / 5);
    Container {
        name: "collector".to_owned(),
        image: Some(pins::OTEL_COLLECTOR.image()),
        args: Some(vec![format!("--config={FOLDER}/{FILE}")]),
        env: Some(vec![pod::variable("GOMEMLIMIT", soft_limit)]),
        ports: Some(vec![
            port("otlp-grpc", OTLP_GRPC),
            port("otlp-http", OTLP_HTTP),
            port("metrics", METRICS_PORT),
            port("health", HEALTH_PORT),
        ]),
        startup_probe: Some(pod::http_probe("/", "health", 2, 30)),
        readiness_probe: Some(pod::http_probe("/", "health", 5, 2)),
        liveness_probe: Some(pod::http_probe("/", "health", 10, 6)),
        resources: Some(container::resources(size.cpu, size.memory)),
        security_context: Some(pod::security(true)),
        volume_mounts: Some(vec![VolumeMount {
            name: "config".to_owned(),
            mount_path: FOLDER.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    }
}

pub(super) fn count(replicas: u32) -> i32 {
    i32::try_from(replicas).unwrap_or(i32::MAX)
}

fn footprint(artefacts: &mut Artefacts, name: &str, pods: u32, size: Size) {
    artefacts.footprints.push(Footprint {
        name: name.to_owned(),
        namespace: OBSERVABILITY.to_owned(),
        pods,
        pods_at_most: pods,
        cpu: size.cpu,
        memory: size.memory,
        volume: None,
        source: "derived from the load and the wait before a decision",
    });
}
