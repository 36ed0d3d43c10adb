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

impl StrimziBrokers {
    /// Port of the listener that services use.
    pub const PORT: u16 = 9093;
    /// The pool whose nodes hold partitions; they are controllers too where there are few of them.
    pub const BROKER_POOL: &'static str = "broker";
    /// The pool of controllers alone.
    pub const CONTROLLER_POOL: &'static str = "controller";
    /// Controllers that stand apart: the fewest of which one may be lost.
    pub const CONTROLLERS: u32 = 3;

    /// Heap of a broker: half of its memory, the other half being the page cache that reads come from.
    ///
    /// More than 6 GiB only lengthens collections: a broker keeps records outside its heap.
    pub fn heap(&self) -> Bytes {
        Bytes((self.memory.0 / 2).min(Bytes::gi(6).0))
    }
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
    /// The user that KEDA asks for lag as, and the Secret that Strimzi keeps its certificate in.
    pub const SCALER_USER: &'static str = "keda";
    /// The Secret with the user that creates topics at external brokers (keys `username`, `password`).
    pub const ADMIN_SECRET: &'static str = "kafka-admin";
    /// The standalone exporter of lag for external brokers, and the Secret with its user.
    pub const EXPORTER: &'static str = "kafka-exporter";

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
            Brokers::Strimzi(_) => format!(
                "{}-kafka-bootstrap.{}.svc:{}",
                Self::CLUSTER,
                super::NAMESPACE,
                StrimziBrokers::PORT
            ),
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
    /// How long a segment is written to. Kafka deletes whole segments, so a record may outlive its retention by this.
    pub segment: Duration,
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

/// A tenth of the retention, at least an hour, at most Kafka's own week.
fn segment(retention: Duration) -> Duration {
    Duration((retention.0 / 10).clamp(Duration::seconds(3600).0, Duration::days(7).0))
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
                // 34m at rest and 93m when scraped every 5 s were measured (Kafka 4.3.1, JMX exporter 1.0.1).
                Profile::FreeTier => (Cpu(100), Bytes::mi(1024)),
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
        let retention = defaults.take(
            said.retention,
            format!("{pointer}/retention"),
            Duration::seconds(origin.default_retention.as_secs()),
            "the catalogue",
        );
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
            .map(|(entry, said)| dead_letters(entry, &said, origin, partitions, defaults));
        topics.push(Topic {
            name: origin.name.to_owned(),
            partitions,
            retention,
            segment: segment(retention),
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

/// The dead-letter twin of a topic.
fn dead_letters(
    entry: &catalogue::Topic,
    said: &written::DeadLetterTwin,
    origin: &catalogue::Topic,
    partitions: u32,
    defaults: &mut Defaults,
) -> Topic {
    let pointer = format!("/topics/{}/deadLetter", origin.name);
    let retention = defaults.take(
        said.retention,
        format!("{pointer}/twin/retention"),
        Duration::seconds(entry.default_retention.as_secs()),
        "the catalogue",
    );
    Topic {
        name: entry.name.to_owned(),
        partitions: defaults.take(
            said.partitions,
            format!("{pointer}/twin/partitions"),
            partitions,
            "as many as the origin has: a dead letter keeps its partition",
        ),
        retention,
        segment: segment(retention),
        max_message_bytes: entry.max_message_bytes,
        origin: Some(origin.name.to_owned()),
        dead_letter: None,
        pointer,
    }
}
