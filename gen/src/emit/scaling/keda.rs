//! KEDA's ScaledObject, from which KEDA makes an HPA (kedacore/keda:`apis/keda/v1alpha1`).

use super::{FAMILY, hpa, metadata, place, whole};
use crate::artefact::{Artefacts, Resource};
use crate::emit::Inputs;
use crate::resolve::{Brokers, Kafka, Service};
use crate::spec::kafka::SaslMechanism;
use crate::spec::units::Duration;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use serde::Serialize;
use std::collections::BTreeMap;

const API: &str = "keda.sh/v1alpha1";
/// The user that KEDA reads offsets as: it may describe topics and groups, nothing else.
pub(crate) const USER: &str = "keda";
/// Questions in a row that may fail before the fallback holds.
const FAILURE_THRESHOLD: u32 = 3;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScaledObjectSpec {
    scale_target_ref: ScaleTarget,
    polling_interval: u64,
    min_replica_count: u32,
    max_replica_count: u32,
    fallback: Fallback,
    advanced: Advanced,
    triggers: Vec<Trigger>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScaleTarget {
    api_version: &'static str,
    kind: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fallback {
    failure_threshold: u32,
    replicas: u32,
    behavior: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Advanced {
    restore_to_original_replica_count: bool,
    horizontal_pod_autoscaler_config: HpaConfig,
}

#[derive(Serialize)]
struct HpaConfig {
    behavior: HorizontalPodAutoscalerBehavior,
}

/// Every value of `metadata` is a string.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trigger {
    r#type: &'static str,
    metric_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_ref: Option<Reference>,
    metadata: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Reference {
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TriggerAuthenticationSpec {
    secret_target_ref: Vec<SecretTarget>,
}

#[derive(Serialize)]
struct SecretTarget {
    parameter: &'static str,
    name: String,
    key: &'static str,
}

pub(super) fn emit(inputs: Inputs<'_>, service: &Service, polling_interval: Duration, artefacts: &mut Artefacts) {
    let authentication = TriggerAuthenticationSpec {
        secret_target_ref: credentials(&inputs.env.kafka),
    };
    let pointer = "/autoscaler/keda";
    let authentication = Resource::new(API, "TriggerAuthentication", metadata(service), authentication);
    artefacts.add_at(FAMILY, place(service), pointer, &authentication);
    let spec = scaled_object(inputs, service, polling_interval);
    let object = Resource::new(API, "ScaledObject", metadata(service), spec);
    artefacts.add_at(FAMILY, place(service), pointer, &object);
}

fn scaled_object(inputs: Inputs<'_>, service: &Service, polling_interval: Duration) -> ScaledObjectSpec {
    let autoscaler = &inputs.env.autoscaler;
    let mut triggers: Vec<Trigger> = service
        .entry
        .reads_topics()
        .map(|topic| lag(inputs, service, topic))
        .collect();
    triggers.push(Trigger {
        r#type: "cpu",
        metric_type: "Utilization",
        authentication_ref: None,
        metadata: BTreeMap::from([
            ("value", whole(autoscaler.cpu).to_string()),
            // The service's own container: see the HPA's.
            ("containerName", service.app_id().to_owned()),
        ]),
    });
    ScaledObjectSpec {
        scale_target_ref: ScaleTarget {
            api_version: "apps/v1",
            kind: "Deployment",
            name: service.app_id(),
        },
        polling_interval: polling_interval.as_seconds(),
        min_replica_count: service.min_replicas,
        max_replica_count: service.max_replicas,
        // While nobody can tell the lag, no pod is taken away.
        fallback: Fallback {
            failure_threshold: FAILURE_THRESHOLD,
            replicas: service.min_replicas,
            behavior: "currentReplicasIfHigher",
        },
        advanced: Advanced {
            restore_to_original_replica_count: false,
            horizontal_pod_autoscaler_config: HpaConfig {
                behavior: hpa::behavior(autoscaler),
            },
        },
        triggers,
    }
}

fn lag(inputs: Inputs<'_>, service: &Service, topic: &str) -> Trigger {
    let env = inputs.env;
    let group = service.entry.consumer_group.and_then(|group| group.shared_name());
    let mut metadata = BTreeMap::from([
        ("bootstrapServers", env.kafka.bootstrap()),
        ("consumerGroup", group.unwrap_or_default().to_owned()),
        ("topic", topic.to_owned()),
        ("lagThreshold", env.autoscaler.lag_per_pod.to_string()),
        // A group that has committed nothing has the whole topic before it: our consumers begin at the oldest record.
        ("offsetResetPolicy", "earliest".to_owned()),
        ("allowIdleConsumers", "false".to_owned()),
        // A partition that stands still may be poison or a slow pod; both are lag.
        ("excludePersistentLag", "false".to_owned()),
        ("limitToPartitionsWithLag", "false".to_owned()),
        ("tls", "enable".to_owned()),
    ]);
    metadata.insert(
        "sasl",
        match &env.kafka.brokers {
            Brokers::Strimzi(_) => "none",
            Brokers::External(external) => match external.mechanism {
                SaslMechanism::ScramSha256 => "scram_sha256",
                SaslMechanism::ScramSha512 => "scram_sha512",
            },
        }
        .to_owned(),
    );
    Trigger {
        r#type: "kafka",
        metric_type: "AverageValue",
        authentication_ref: Some(Reference { name: service.app_id() }),
        metadata,
    }
}

fn credentials(kafka: &Kafka) -> Vec<SecretTarget> {
    let target = |parameter, name, key| SecretTarget { parameter, name, key };
    match &kafka.brokers {
        Brokers::Strimzi(_) => vec![
            target("ca", Kafka::ca_secret(), "ca.crt"),
            target("cert", USER.to_owned(), "user.crt"),
            target("key", USER.to_owned(), "user.key"),
        ],
        Brokers::External(_) => vec![
            target("username", Kafka::user_secret(USER), "username"),
            target("password", Kafka::user_secret(USER), "password"),
        ],
    }
}
