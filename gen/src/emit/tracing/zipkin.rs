//! Zipkin.

use super::super::{Inputs, container};
use super::{FAMILY, ZIPKIN, ZIPKIN_PORT, collector, elasticsearch_url, elasticsearch_user, pod};
use crate::artefact::{Artefacts, Footprint, Stage};
use crate::pins;
use crate::resolve::{OBSERVABILITY, TraceStore};
use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{Container, ContainerPort, EnvVar, PodSpec, PodTemplateSpec, VolumeMount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

const COMPONENT: &str = "traces";

/// The first ordinary user of the image, which names it `zipkin` (openzipkin/zipkin: `docker/Dockerfile`).
const USER: i64 = 1000;

/// Heap of a server that holds nothing.
const IDLE_HEAP: u64 = 128 << 20;
/// Heap of one span in memory, its indexes included.
const SPAN: u64 = 1 << 10;
/// What a Java process takes beside its heap.
const BESIDE_HEAP: u64 = 160 << 20;
/// Memory is given in such steps.
const STEP: u64 = 32 << 20;

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let store = &inputs.env.tracing.store;
    let in_memory = matches!(store, TraceStore::Memory { .. });
    // Two servers over one memory store would each know half of the traces.
    let replicas = if inputs.env.is_production() && !in_memory { 2 } else { 1 };
    let heap = heap(store);
    let memory = Bytes((heap.0 + BESIDE_HEAP).div_ceil(STEP) * STEP);
    let cpu = if inputs.env.is_production() { Cpu(200) } else { Cpu(50) };
    let deployment = Deployment {
        metadata: pod::metadata(ZIPKIN, COMPONENT),
        spec: Some(DeploymentSpec {
            replicas: Some(collector::count(replicas)),
            revision_history_limit: Some(3),
            selector: pod::pods(ZIPKIN),
            strategy: Some(DeploymentStrategy {
                // What is in memory is lost either way; a second pod beside it would only take room.
                type_: Some(if in_memory { "Recreate" } else { "RollingUpdate" }.to_owned()),
                rolling_update: None,
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(pod::labels(ZIPKIN, COMPONENT)),
                    ..ObjectMeta::default()
                }),
                spec: Some(PodSpec {
                    containers: vec![container(variables(store, heap), cpu, memory)],
                    topology_spread_constraints: Some(pod::spread(inputs.env, ZIPKIN)),
                    termination_grace_period_seconds: Some(30),
                    volumes: Some(vec![pod::scratch("tmp", Bytes::mi(64))]),
                    ..pod::spec(ZIPKIN, USER)
                }),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    };
    artefacts.add(FAMILY, Stage::Observability, "/tracing/zipkin", &deployment);
    let service = pod::service(ZIPKIN, COMPONENT, false, &[("http", ZIPKIN_PORT, Some("http"))]);
    artefacts.add(FAMILY, Stage::Observability, "/tracing/zipkin", &service);
    pod::account(artefacts, ZIPKIN, COMPONENT);
    pod::budget(artefacts, ZIPKIN, COMPONENT, replicas);
    let surge = u32::from(!in_memory);
    artefacts.footprints.push(Footprint {
        name: ZIPKIN.to_owned(),
        namespace: OBSERVABILITY.to_owned(),
        pods: replicas + surge,
        pods_at_most: replicas + surge,
        cpu,
        memory,
        volume: None,
        source: "1 KiB of heap per span kept in memory",
    });
}

fn heap(store: &TraceStore) -> Bytes {
    match store {
        TraceStore::Memory { max_spans } => Bytes(IDLE_HEAP + u64::from(*max_spans) * SPAN),
        TraceStore::External { .. } | TraceStore::Node { .. } => Bytes(2 * IDLE_HEAP),
    }
}

fn variables(store: &TraceStore, heap: Bytes) -> Vec<EnvVar> {
    let mebibytes = heap.0.div_ceil(1 << 20);
    let java = format!("-Xms64m -Xmx{mebibytes}m -XX:+ExitOnOutOfMemoryError");
    let mut variables = vec![pod::variable("JAVA_OPTS", java)];
    match (store, elasticsearch_url(store)) {
        (TraceStore::Memory { max_spans }, _) => {
            variables.push(pod::variable("STORAGE_TYPE", "mem"));
            variables.push(pod::variable("MEM_MAX_SPANS", max_spans.to_string()));
        }
        (_, url) => {
            variables.push(pod::variable("STORAGE_TYPE", "elasticsearch"));
            variables.push(pod::variable("ES_HOSTS", url.unwrap_or_default()));
            variables.push(pod::variable("ES_INDEX", super::retention::INDEX));
            variables.push(pod::variable("ES_INDEX_SHARDS", "1"));
            // A second copy has nowhere to lie on a single node.
            let copies = if matches!(store, TraceStore::Node { .. }) {
                "0"
            } else {
                "1"
            };
            variables.push(pod::variable("ES_INDEX_REPLICAS", copies));
            variables.extend(elasticsearch_user(store));
        }
    }
    variables
}

fn container(env: Vec<EnvVar>, cpu: Cpu, memory: Bytes) -> Container {
    Container {
        name: ZIPKIN.to_owned(),
        image: Some(pins::ZIPKIN.image()),
        env: Some(env),
        ports: Some(vec![ContainerPort {
            name: Some("http".to_owned()),
            container_port: i32::from(ZIPKIN_PORT),
            ..ContainerPort::default()
        }]),
        startup_probe: Some(pod::http_probe("/info", "http", 5, 36)),
        // /health asks the store too: without it spans wait in the collector's queue instead of being lost here.
        readiness_probe: Some(pod::http_probe("/health", "http", 10, 3)),
        liveness_probe: Some(pod::http_probe("/info", "http", 15, 4)),
        resources: Some(container::resources(cpu, memory)),
        security_context: Some(pod::security(true)),
        volume_mounts: Some(vec![VolumeMount {
            name: "tmp".to_owned(),
            mount_path: "/tmp".to_owned(),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    }
}
