//! The versions of others: charts and images, each with where it was read.

/// The Dapr that clusters run.
pub const DAPR_VERSION: &str = "1.18.3";

/// The Kafka that Strimzi runs, and whose tools create topics at external brokers
/// (strimzi/strimzi-kafka-operator:kafka-versions.yaml@1.2.0, its default).
pub const KAFKA_VERSION: &str = "4.3.1";

/// An image of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The image without its tag.
    pub location: &'static str,
    /// The tag.
    pub version: &'static str,
}

impl Pin {
    /// The image as a pod names it: `registry/repository:tag`.
    pub fn image(&self) -> String {
        format!("{}:{}", self.location, self.version)
    }
}

/// Apache Kafka's own image, for its command-line tools (apache/kafka:docker/jvm/Dockerfile).
pub const KAFKA: Pin = Pin {
    location: "docker.io/apache/kafka",
    version: KAFKA_VERSION,
};

/// The exporter of consumer lag for external brokers; Strimzi brings its own (danielqsj/kafka_exporter:VERSION@v1.9.0).
pub const KAFKA_EXPORTER: Pin = Pin {
    location: "docker.io/danielqsj/kafka-exporter",
    version: "v1.9.0",
};

/// CloudNativePG's image of PostgreSQL with every contrib extension (cloudnative-pg/postgres-containers:docker-bake.hcl).
pub const POSTGRESQL: Pin = Pin {
    location: "ghcr.io/cloudnative-pg/postgresql",
    version: "18.6-standard-trixie",
};
