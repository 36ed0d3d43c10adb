//! Where Kafka comes from, and its topics.

use super::units::{Bytes, Cpu, Duration, HostPort};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where Kafka comes from: exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kafka {
    /// A Strimzi cluster inside this one.
    Strimzi(Strimzi),
    /// Redpanda Cloud, or any brokers that speak SASL over TLS with a public certificate.
    RedpandaCloud(RedpandaCloud),
}

/// A Strimzi cluster inside this one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strimzi {
    /// Brokers; up to 3 are controllers too, beyond that three controllers stand apart. Strimzi cannot change the
    /// controllers of a running cluster: choose 1, 3, or 4 and more before the first deployment.
    #[schemars(range(min = 1, max = 99))]
    pub brokers: u32,
    /// Volume of each broker.
    pub volume: Bytes,
    /// Copies of each partition. Default: 3, or as many as there are brokers.
    #[schemars(range(min = 1, max = 7))]
    pub replication_factor: Option<u32>,
    /// Copies that must have an event before it is acknowledged. Default: one fewer than the copies, at least 1.
    #[schemars(range(min = 1, max = 7))]
    pub min_in_sync: Option<u32>,
    /// Processor request of each broker.
    pub cpu: Option<Cpu>,
    /// Memory of each broker; half of it becomes heap.
    pub memory: Option<Bytes>,
}

/// Redpanda Cloud, or any brokers that speak SASL over TLS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedpandaCloud {
    /// Seed brokers.
    #[schemars(length(min = 1))]
    pub bootstrap: Vec<HostPort>,
    /// The SASL mechanism.
    pub mechanism: SaslMechanism,
    /// Copies of each partition. Default: 3.
    #[schemars(range(min = 1, max = 7))]
    pub replication_factor: Option<u32>,
}

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum SaslMechanism {
    /// SCRAM with SHA-256.
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

/// A topic, where it differs from the catalogue's defaults.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopicSpec {
    /// Partitions. They can only grow; every consumer's maximum must not exceed them.
    #[schemars(range(min = 1, max = 1000))]
    pub partitions: Option<u32>,
    /// How long events are kept.
    pub retention: Option<Duration>,
    /// Where events go that a consumer gives up on. Default: a twin with as many partitions.
    pub dead_letter: Option<DeadLetter>,
}

/// Where events go that a consumer gives up on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeadLetter {
    /// Nowhere.
    None,
    /// The topic's dead-letter twin.
    Twin(DeadLetterTwin),
}

/// A dead-letter twin.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLetterTwin {
    /// Partitions; at least as many as the origin has, since an event keeps its partition. Default: as many.
    #[schemars(range(min = 1, max = 1000))]
    pub partitions: Option<u32>,
    /// How long dead letters are kept.
    pub retention: Option<Duration>,
}
