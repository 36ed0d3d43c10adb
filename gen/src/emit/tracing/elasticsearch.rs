//! One Elasticsearch node for Zipkin: no cluster, no replica. What it loses are traces.

use super::super::{Inputs, container};
use super::{ELASTICSEARCH, ELASTICSEARCH_PORT, ELASTICSEARCH_USER, FAMILY, pod};
use crate::artefact::{Artefacts, Footprint, Stage, meta};
use crate::pins;
use crate::resolve::{OBSERVABILITY, TraceStore};
use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, ExecAction, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodTemplateSpec,
    Probe, TCPSocketAction, VolumeMount, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;

const COMPONENT: &str = "trace-store";

/// The user of the image, whose folders belong to group 0 (elastic/elasticsearch: `distribution/docker`).
const USER: i64 = 1000;
const GROUP: i64 = 0;

const DATA: &str = "/usr/share/elasticsearch/data";

/// Asks as the user that the Secret names, so that readiness also proves the password.
fn ready() -> String {
    format!(
        "curl --fail --silent --max-time 4 --user \"{ELASTICSEARCH_USER}:$ELASTIC_PASSWORD\" \
         \"http://127.0.0.1:{ELASTICSEARCH_PORT}/_cluster/health?local=true\""
    )
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let TraceStore::Node { volume, memory, .. } = &inputs.env.tracing.store else {
        return;
    };
    let volume = inputs.env.platform.volume(*volume);
    let cpu = if inputs.env.is_production() { Cpu(500) } else { Cpu(100) };
    let mut pod_spec = pod::spec(ELASTICSEARCH, USER);
    if let Some(security) = &mut pod_spec.security_context {
        security.run_as_group = Some(GROUP);
        security.fs_group = Some(USER);
        security.fs_group_change_policy = Some("OnRootMismatch".to_owned());
    }
    pod_spec.containers = vec![container(cpu, *memory)];
    // Time to flush and close every shard.
    pod_spec.termination_grace_period_seconds = Some(120);
    let set = StatefulSet {
        metadata: pod::metadata(ELASTICSEARCH, COMPONENT),
        spec: Some(StatefulSetSpec {
            replicas: Some(1),
            revision_history_limit: Some(3),
            service_name: Some(ELASTICSEARCH.to_owned()),
            selector: pod::pods(ELASTICSEARCH),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(pod::labels(ELASTICSEARCH, COMPONENT)),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod_spec),
            },
            volume_claim_templates: Some(vec![claim(inputs, volume)]),
            persistent_volume_claim_retention_policy: Some(StatefulSetPersistentVolumeClaimRetentionPolicy {
                when_deleted: Some("Retain".to_owned()),
                when_scaled: Some("Retain".to_owned()),
            }),
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    };
    let pointer = "/tracing/zipkin/elasticsearchNode";
    artefacts.add(FAMILY, Stage::Observability, pointer, &set);
    let ports = [("http", ELASTICSEARCH_PORT, Some("http"))];
    let service = pod::service(ELASTICSEARCH, COMPONENT, false, &ports);
    artefacts.add(FAMILY, Stage::Observability, pointer, &service);
    pod::account(artefacts, ELASTICSEARCH, COMPONENT);
    artefacts.footprints.push(Footprint {
        name: ELASTICSEARCH.to_owned(),
        namespace: OBSERVABILITY.to_owned(),
        pods: 1,
        pods_at_most: 1,
        cpu,
        memory: *memory,
        volume: Some(volume),
        source: "the spec; half of the memory becomes heap",
    });
}

fn claim(inputs: Inputs<'_>, volume: Bytes) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            namespace: None,
            labels: Some(pod::labels(ELASTICSEARCH, COMPONENT)),
            ..meta(OBSERVABILITY, "data")
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: Some(inputs.env.platform.storage_class.to_owned()),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), Quantity(volume.to_string()))])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}

/// Users and passwords are on, because a trace holds what people typed into an address. TLS is off: the traffic does not
/// leave the namespace, and the certificate that Elasticsearch would make for itself at each start convinces nobody.
fn variables(memory: Bytes) -> Vec<EnvVar> {
    let heap = (memory.0 / 2) >> 20;
    vec![
        pod::variable("ES_JAVA_OPTS", format!("-Xms{heap}m -Xmx{heap}m")),
        pod::variable("cluster.name", "taskflow-traces"),
        pod::variable("discovery.type", "single-node"),
        // Otherwise every node would need a kernel setting that only a privileged pod can make.
        pod::variable("node.store.allow_mmap", "false"),
        pod::variable("xpack.security.enabled", "true"),
        pod::variable("xpack.security.autoconfiguration.enabled", "false"),
        pod::variable("xpack.security.http.ssl.enabled", "false"),
        pod::secret_variable("ELASTIC_PASSWORD", ELASTICSEARCH, "password"),
    ]
}

fn container(cpu: Cpu, memory: Bytes) -> Container {
    let port = || TCPSocketAction {
        port: IntOrString::String("http".to_owned()),
        host: None,
    };
    let listening = |period: i32, failures: i32| Probe {
        tcp_socket: Some(port()),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(3),
        ..Probe::default()
    };
    Container {
        name: ELASTICSEARCH.to_owned(),
        image: Some(pins::ELASTICSEARCH.image()),
        env: Some(variables(memory)),
        ports: Some(vec![ContainerPort {
            name: Some("http".to_owned()),
            container_port: i32::from(ELASTICSEARCH_PORT),
            ..ContainerPort::default()
        }]),
        startup_probe: Some(listening(5, 60)),
        readiness_probe: Some(Probe {
            exec: Some(ExecAction {
                command: Some(vec!["sh".to_owned(), "-c".to_owned(), ready()]),
            }),
            period_seconds: Some(10),
            failure_threshold: Some(3),
            timeout_seconds: Some(5),
            ..Probe::default()
        }),
        liveness_probe: Some(listening(15, 6)),
        resources: Some(container::resources(cpu, memory)),
        // The image makes its key store beside its configuration when it starts.
        security_context: Some(pod::security(false)),
        volume_mounts: Some(vec![VolumeMount {
            name: "data".to_owned(),
            mount_path: DATA.to_owned(),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    }
}
