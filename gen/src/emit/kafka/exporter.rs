//! The exporter of consumer lag for brokers outside; Strimzi brings its own.

use super::super::container::resources;
use super::external::{POINTER, credential};
use super::{FAMILY, STAGE, labelled, labels, lag_groups, restricted, topic_names};
use crate::artefact::{Artefacts, Footprint};
use crate::emit::Inputs;
use crate::emit::base::PRIORITY_OBSERVABILITY;
use crate::pins;
use crate::resolve::{ExternalBrokers, Kafka, NAMESPACE};
use crate::spec::kafka::SaslMechanism;
use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, HTTPGetAction, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, SecurityContext,
    Service, ServicePort, ServiceSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

const COMPONENT: &str = "exporter";
/// The exporter's own port (`danielqsj/kafka_exporter:kafka_exporter.go@v1.9.0`).
const PORT: i32 = 9308;
/// `nobody` in its image.
const USER: i64 = 65534;
/// What it speaks: its own default is older than what Kafka 4 still answers, and Redpanda knows this one too.
const PROTOCOL: &str = "2.8.0";
const CPU: Cpu = Cpu(50);
const MEMORY: Bytes = Bytes::mi(128);

pub(super) fn emit(inputs: Inputs<'_>, brokers: &ExternalBrokers, artefacts: &mut Artefacts) {
    let selector = labels(Kafka::EXPORTER, COMPONENT);
    let deployment = Deployment {
        metadata: labelled(Kafka::EXPORTER, Kafka::EXPORTER, COMPONENT),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            selector: LabelSelector {
                match_labels: Some(selector.clone()),
                ..LabelSelector::default()
            },
            // Two at once would count every lag twice for as long as both are scraped.
            strategy: Some(DeploymentStrategy {
                type_: Some("Recreate".to_owned()),
                ..DeploymentStrategy::default()
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(selector.clone()),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(inputs, brokers)),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    };
    artefacts.add(FAMILY, STAGE, POINTER, &deployment);
    let service = Service {
        metadata: labelled(Kafka::EXPORTER, Kafka::EXPORTER, COMPONENT),
        spec: Some(ServiceSpec {
            selector: Some(selector),
            ports: Some(vec![ServicePort {
                name: Some("metrics".to_owned()),
                port: PORT,
                target_port: Some(IntOrString::String("metrics".to_owned())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    artefacts.add(FAMILY, STAGE, POINTER, &service);
    artefacts.footprints.push(Footprint {
        name: Kafka::EXPORTER.to_owned(),
        namespace: NAMESPACE.to_owned(),
        pods: 1,
        pods_at_most: 1,
        cpu: CPU,
        memory: MEMORY,
        volume: None,
        source: "one small Go process",
    });
}

fn pod(inputs: Inputs<'_>, brokers: &ExternalBrokers) -> PodSpec {
    let probe = |failures| Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/healthz".to_owned()),
            port: IntOrString::String("metrics".to_owned()),
            ..HTTPGetAction::default()
        }),
        failure_threshold: Some(failures),
        period_seconds: Some(10),
        timeout_seconds: Some(5),
        ..Probe::default()
    };
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![Container {
            name: Kafka::EXPORTER.to_owned(),
            image: Some(pins::KAFKA_EXPORTER.image()),
            args: Some(arguments(inputs, brokers)),
            env: Some(vec![
                // The name under which the exporter itself looks for it: an argument would show in the process list.
                credential("SASL_USER_PASSWORD", Kafka::EXPORTER, "password"),
                credential("SASL_USERNAME", Kafka::EXPORTER, "username"),
            ]),
            ports: Some(vec![ContainerPort {
                name: Some("metrics".to_owned()),
                container_port: PORT,
                ..ContainerPort::default()
            }]),
            liveness_probe: Some(probe(6)),
            readiness_probe: Some(probe(2)),
            resources: Some(resources(CPU, MEMORY)),
            security_context: Some(SecurityContext {
                read_only_root_filesystem: Some(true),
                ..restricted()
            }),
            ..Container::default()
        }],
        enable_service_links: Some(false),
        priority_class_name: Some(PRIORITY_OBSERVABILITY.to_owned()),
        security_context: Some(PodSecurityContext {
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

fn arguments(inputs: Inputs<'_>, brokers: &ExternalBrokers) -> Vec<String> {
    let mechanism = match brokers.mechanism {
        SaslMechanism::ScramSha256 => "scram-sha256",
        SaslMechanism::ScramSha512 => "scram-sha512",
    };
    let servers = brokers
        .bootstrap
        .iter()
        .map(|server| format!("--kafka.server={server}"));
    servers
        .chain([
            format!("--kafka.version={PROTOCOL}"),
            "--tls.enabled".to_owned(),
            "--sasl.enabled".to_owned(),
            format!("--sasl.mechanism={mechanism}"),
            "--sasl.username=$(SASL_USERNAME)".to_owned(),
            format!("--group.filter={}", lag_groups(inputs.catalogue)),
            format!("--topic.filter={}", topic_names(inputs.env)),
        ])
        .collect()
}
