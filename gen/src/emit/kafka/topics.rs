//! Topics, by Strimzi's topic operator.

use super::crd::{API_VERSION, CLUSTER_LABEL, Config, ConfigValue, KafkaTopicSpec};
use super::{FAMILY, STAGE, labelled};
use crate::artefact::{Artefacts, Resource};
use crate::emit::base::never_pruned;
use crate::resolve::{Environment, Kafka, Topic};

pub(super) fn emit(env: &Environment, artefacts: &mut Artefacts) {
    for topic in &env.topics {
        let mut metadata = labelled(&topic.name, "kafka", "topic");
        if let Some(labels) = &mut metadata.labels {
            labels.insert(CLUSTER_LABEL.to_owned(), Kafka::CLUSTER.to_owned());
        }
        metadata.annotations = Some(never_pruned("deleting it deletes every event in it"));
        let mut config = config(topic);
        config.insert("min.insync.replicas", ConfigValue::Number(env.kafka.min_in_sync.into()));
        let spec = KafkaTopicSpec {
            partitions: topic.partitions,
            replicas: env.kafka.replication_factor,
            config,
        };
        let object = Resource::new(API_VERSION, "KafkaTopic", metadata, spec);
        artefacts.add(FAMILY, STAGE, &topic.pointer, &object);
    }
}

/// What every broker understands, Kafka or not: in-sync replicas are missing, because Redpanda has none
/// (redpanda-data/redpanda:src/v/kafka/server/handlers/topics/types.h, `allowlist_topic_noop_confs`).
pub(super) fn config(topic: &Topic) -> Config {
    use ConfigValue::{Number, Text};
    Config::from([
        ("cleanup.policy", Text("delete")),
        ("max.message.bytes", Number(topic.max_message_bytes.into())),
        ("retention.ms", Number(topic.retention.0)),
        ("segment.ms", Number(topic.segment.0)),
    ])
}
