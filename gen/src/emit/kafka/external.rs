//! Brokers outside: a Job creates or verifies the topics with Kafka's own tools.

use super::super::container::resources;
use super::crd::ConfigValue;
use super::{FAMILY, STAGE, labelled, labels, restricted, topics};
use crate::artefact::{Artefacts, Footprint, Thing};
use crate::output::sha256;
use crate::pins;
use crate::resolve::{Environment, ExternalBrokers, Kafka, NAMESPACE};
use crate::spec::kafka::SaslMechanism;
use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, EmptyDirVolumeSource, EnvVar, EnvVarSource, PodSecurityContext,
    PodSpec, PodTemplateSpec, SecretKeySelector, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::fmt::Write as _;

/// Where the spec speaks of it.
pub(super) const POINTER: &str = "/kafka/redpandaCloud";

/// The Job's name, but for what follows from its content.
const APP: &str = "topics";
const SCRIPT: &str = include_str!("topics.sh");
const MOUNT: &str = "/etc/taskflow-topics";
const CPU: Cpu = Cpu(100);
const MEMORY: Bytes = Bytes::mi(512);
/// The user `appuser` of the image; its name alone does not prove to the kubelet that it is not root
/// (apache/kafka:docker/jvm/Dockerfile).
const USER: i64 = 1000;

impl SaslMechanism {
    /// As Kafka names it.
    const fn kafka(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// A Job cannot be changed: whatever changes its content changes its name, and the old one is pruned.
pub(super) fn emit(env: &Environment, brokers: &ExternalBrokers, artefacts: &mut Artefacts) {
    let files = [
        ("client.properties", client_properties(brokers.mechanism)),
        ("topics.sh", SCRIPT.to_owned()),
        ("topics.txt", topic_list(env)),
    ];
    let content = serde_json::to_string(&(&files, job(env, APP))).expect("our own types serialise");
    let name = format!("{APP}-{}", &sha256(content.as_bytes())[..8]);
    let config_map = ConfigMap {
        metadata: labelled(&name, APP, APP),
        immutable: Some(true),
        data: Some(files.map(|(file, text)| (file.to_owned(), text)).into()),
        ..ConfigMap::default()
    };
    artefacts.add(FAMILY, STAGE, POINTER, &config_map);
    let provided = env.topics.iter().map(|topic| Thing::Topic(topic.name.clone()));
    artefacts
        .add(FAMILY, STAGE, POINTER, &job(env, &name))
        .provides(provided);
    artefacts.footprints.push(Footprint {
        name: APP.to_owned(),
        namespace: NAMESPACE.to_owned(),
        pods: 1,
        pods_at_most: 1,
        cpu: CPU,
        memory: MEMORY,
        volume: None,
        source: "a Java tool, for the minute that it runs",
    });
}

/// A line for each topic: `name partitions copies settings`.
fn topic_list(env: &Environment) -> String {
    let mut list = String::new();
    for topic in &env.topics {
        let settings: Vec<String> = topics::config(topic)
            .into_iter()
            .map(|(key, value)| match value {
                ConfigValue::Number(number) => format!("{key}={number}"),
                ConfigValue::Text(text) => format!("{key}={text}"),
                ConfigValue::Switch(switch) => format!("{key}={switch}"),
            })
            .collect();
        let copies = env.kafka.replication_factor;
        let _ = writeln!(
            list,
            "{} {} {copies} {}",
            topic.name,
            topic.partitions,
            settings.join(",")
        );
    }
    list
}

/// The client resolves `${env:…}` itself, in its own process: no secret is written anywhere.
fn client_properties(mechanism: SaslMechanism) -> String {
    [
        "config.providers=env",
        "config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        "security.protocol=SASL_SSL",
        &format!("sasl.mechanism={}", mechanism.kafka()),
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\",
        "  username=\"${env:KAFKA_USERNAME}\" password=\"${env:KAFKA_PASSWORD}\";",
        "default.api.timeout.ms=60000",
        "",
    ]
    .join("\n")
}

fn job(env: &Environment, config_map: &str) -> Job {
    Job {
        metadata: labelled(config_map, APP, APP),
        spec: Some(JobSpec {
            // No time to live: a Job that vanished would be made again at every reconciliation.
            backoff_limit: Some(5),
            active_deadline_seconds: Some(600),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels(APP, APP)),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(&env.kafka.bootstrap(), config_map)),
            },
            ..JobSpec::default()
        }),
        ..Job::default()
    }
}

fn pod(bootstrap: &str, config_map: &str) -> PodSpec {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: (name == APP).then_some(true),
        ..VolumeMount::default()
    };
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![Container {
            name: APP.to_owned(),
            image: Some(pins::KAFKA.image()),
            command: Some(["/bin/bash", "topics.sh", "topics.txt"].map(str::to_owned).into()),
            working_dir: Some(MOUNT.to_owned()),
            env: Some(environment(bootstrap)),
            resources: Some(resources(CPU, MEMORY)),
            security_context: Some(SecurityContext {
                read_only_root_filesystem: Some(true),
                ..restricted()
            }),
            volume_mounts: Some(vec![mount("scratch", "/tmp"), mount(APP, MOUNT)]),
            ..Container::default()
        }],
        enable_service_links: Some(false),
        restart_policy: Some("Never".to_owned()),
        security_context: Some(PodSecurityContext {
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            ..PodSecurityContext::default()
        }),
        volumes: Some(vec![
            Volume {
                name: "scratch".to_owned(),
                empty_dir: Some(EmptyDirVolumeSource {
                    size_limit: Some(Quantity(Bytes::mi(64).to_string())),
                    ..EmptyDirVolumeSource::default()
                }),
                ..Volume::default()
            },
            Volume {
                name: APP.to_owned(),
                config_map: Some(ConfigMapVolumeSource {
                    name: config_map.to_owned(),
                    ..ConfigMapVolumeSource::default()
                }),
                ..Volume::default()
            },
        ]),
        ..PodSpec::default()
    }
}

fn environment(bootstrap: &str) -> Vec<EnvVar> {
    let plain = |name: &str, value: &str| EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..EnvVar::default()
    };
    vec![
        plain("BOOTSTRAP", bootstrap),
        plain("CLIENT_CONFIG", &format!("{MOUNT}/client.properties")),
        plain("KAFKA_HEAP_OPTS", "-Xmx192m"),
        credential("KAFKA_PASSWORD", Kafka::ADMIN_SECRET, "password"),
        credential("KAFKA_USERNAME", Kafka::ADMIN_SECRET, "username"),
        // The tools' start script makes a folder for logs, of which it then writes none.
        plain("LOG_DIR", "/tmp/logs"),
    ]
}

/// A variable that comes from a Secret.
pub(super) fn credential(name: &str, secret: &str, key: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.to_owned(),
                key: key.to_owned(),
                ..SecretKeySelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}
