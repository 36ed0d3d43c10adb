//! Kafka and its topics.

use super::Defaults;
use crate::spec::kafka as written;
use crate::spec::kafka::SaslMechanism;
use crate::spec::units::{Bytes, Cpu, Duration};
use crate::spec::{Profile, Spec};
use catalogue::Catalogue;

/// Kafka, wherever it comes from.
#[derive(Clone, Debug)]
pub struct Kafka {
    /// Where it comes from.
    pub brokers: Brokers,
    /// Copies of each partition.
    pub replication_factor: u32,
    /// Copies that must have an event before it is acknowledged.
    pub min_in_sync: u32,
}

/// Where brokers come from.
#[derive(Clone, Debug)]
pub enum Brokers {
    /// Strimzi, in this cluster.
    Strimzi(StrimziBrokers),
    /// Outside.
    External(ExternalBrokers),
}

/// Brokers that Strimzi runs.
#[derive(Clone, Debug)]
pub struct StrimziBrokers {
    /// How many.
    pub count: u32,
    /// Whether each is a controller too.
    pub dual_role: bool,
    /// Volume of each.
    pub volume: Bytes,
    /// Processor request of each.
    pub cpu: Cpu,
    /// Memory of each.
    pub memory: Bytes,
}

/// Brokers outside.
#[derive(Clone, Debug)]
pub struct ExternalBrokers {
    /// Seed brokers.
    pub bootstrap: Vec<String>,
    /// The SASL mechanism.
    pub mechanism: SaslMechanism,
}

impl Kafka {
    /// Name of the Strimzi cluster.
    pub const CLUSTER: &'static str = "taskflow";

    /// The Secret with the authority that the Strimzi brokers' certificates come from, key `ca.crt`.
    pub fn ca_secret() -> String {
        format!("{}-cluster-ca-cert", Self::CLUSTER)
    }

    /// The Secret of a user at external brokers, keys `username` and `password`.
    pub fn user_secret(user: &str) -> String {
        format!("kafka-{user}")
    }

    /// Seed brokers, comma separated.
    pub fn bootstrap(&self) -> String {
        match &self.brokers {
            Brokers::Strimzi(_) => format!("{}-kafka-bootstrap.{}.svc:9093", Self::CLUSTER, super::NAMESPACE),
            Brokers::External(external) => external.bootstrap.join(","),
        }
    }

    /// The Strimzi brokers, where they are.
    pub fn strimzi(&self) -> Option<&StrimziBrokers> {
        match &self.brokers {
            Brokers::Strimzi(strimzi) => Some(strimzi),
            Brokers::External(_) => None,
        }
    }
}

/// A topic with its numbers.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Partitions.
    pub partitions: u32,
    /// How long records are kept.
    pub retention: Duration,
    /// Largest record, in bytes.
    pub max_message_bytes: u32,
    /// The topic whose dead letters this one holds.
    pub origin: Option<String>,
    /// Where its own dead letters go; `None` for a twin, and where the spec says so.
    pub dead_letter: Option<DeadLetterTwin>,
    /// Where the spec would speak of it.
    pub pointer: String,
}

/// The twin of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterTwin {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: u32,
}

pub(super) fn resolve(spec: &Spec, defaults: &mut Defaults) -> Kafka {
    match &spec.kafka {
        written::Kafka::Strimzi(it) => {
            let at = |key: &str| format!("/kafka/strimzi/{key}");
            let replication_factor = defaults.take(
                it.replication_factor,
                at("replicationFactor"),
                it.brokers.min(3),
                "3, or as many as there are brokers",
            );
            let (cpu, memory) = match spec.profile {
                Profile::Laptop => (Cpu(250), Bytes::mi(1024)),
                Profile::FreeTier => (Cpu(150), Bytes::mi(1024)),
                Profile::Production => (Cpu(500), Bytes::gi(4)),
            };
            Kafka {
                replication_factor,
                min_in_sync: min_in_sync(it.min_in_sync, at("minInSync"), replication_factor, defaults),
                brokers: Brokers::Strimzi(StrimziBrokers {
                    count: it.brokers,
                    dual_role: it.brokers <= 3,
                    volume: it.volume,
                    cpu: defaults.take(it.cpu, at("cpu"), cpu, "the profile"),
                    memory: defaults.take(it.memory, at("memory"), memory, "the profile; half of it becomes heap"),
                }),
            }
        }
        written::Kafka::RedpandaCloud(it) => {
            let at = |key: &str| format!("/kafka/redpandaCloud/{key}");
            let replication_factor = defaults.take(
                it.replication_factor,
                at("replicationFactor"),
                3,
                "what the service offers",
            );
            Kafka {
                replication_factor,
                min_in_sync: replication_factor.saturating_sub(1).max(1),
                brokers: Brokers::External(ExternalBrokers {
                    bootstrap: it.bootstrap.iter().map(ToString::to_string).collect(),
                    mechanism: it.mechanism,
                }),
            }
        }
    }
}

fn min_in_sync(written: Option<u32>, pointer: String, replication_factor: u32, defaults: &mut Defaults) -> u32 {
    let default = replication_factor.saturating_sub(1).max(1);
    defaults.take(
        written,
        pointer,
        default,
        "one fewer than the copies, so that a broker may restart",
    )
}

pub(super) fn topics(spec: &Spec, catalogue: &Catalogue, defaults: &mut Defaults) -> Vec<Topic> {
    let mut topics = Vec::new();
    for origin in catalogue.topics.iter().filter(|topic| !topic.is_dead_letter_twin()) {
        let said = spec.topics.get(origin.name).cloned().unwrap_or_default();
        let pointer = format!("/topics/{}", origin.name);
        let retention = Duration::seconds(origin.default_retention.as_secs());
        let partitions = defaults.take(
            said.partitions,
            format!("{pointer}/partitions"),
            origin.default_partitions,
            "the catalogue",
        );
        let twin = match said.dead_letter {
            Some(written::DeadLetter::None) => None,
            Some(written::DeadLetter::Twin(twin)) => Some(twin),
            None => Some(written::DeadLetterTwin::default()),
        };
        let twin = catalogue
            .dead_letter_twin(origin.name)
            .zip(twin)
            .map(|(entry, said)| Topic {
                name: entry.name.to_owned(),
                partitions: defaults.take(
                    said.partitions,
                    format!("{pointer}/deadLetter/twin/partitions"),
                    partitions,
                    "as many as the origin has: a dead letter keeps its partition",
                ),
                retention: defaults.take(
                    said.retention,
                    format!("{pointer}/deadLetter/twin/retention"),
                    Duration::seconds(entry.default_retention.as_secs()),
                    "the catalogue",
                ),
                max_message_bytes: entry.max_message_bytes,
                origin: Some(origin.name.to_owned()),
                dead_letter: None,
                pointer: format!("{pointer}/deadLetter"),
            });
        topics.push(Topic {
            name: origin.name.to_owned(),
            partitions,
            retention: defaults.take(
                said.retention,
                format!("{pointer}/retention"),
                retention,
                "the catalogue",
            ),
            max_message_bytes: origin.max_message_bytes,
            origin: None,
            dead_letter: twin.as_ref().map(|twin| DeadLetterTwin {
                name: twin.name.clone(),
                partitions: twin.partitions,
            }),
            pointer,
        });
        topics.extend(twin);
    }
    topics
}
