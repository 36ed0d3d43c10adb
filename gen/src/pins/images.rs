//! Images that we run ourselves; those of operators come with their charts.

use super::{Evidence, KAFKA_VERSION, Pin, PinKind};

/// curl, for the smoke Job and for deleting old indices.
pub const CURL: Pin = Pin {
    name: "curl",
    kind: PinKind::Image,
    location: "docker.io/curlimages/curl",
    version: "8.21.0",
    brings: "8.21.0",
    evidence: Evidence::ReadFrom("curl/curl-container:.github/workflows/build_latest_release_multi.yml@8.21.0"),
};

/// Elasticsearch, of the line that Zipkin is tested against.
pub const ELASTICSEARCH: Pin = Pin {
    name: "elasticsearch",
    kind: PinKind::Image,
    location: "docker.elastic.co/elasticsearch/elasticsearch",
    version: "8.19.13",
    brings: "8.19.13",
    evidence: Evidence::ReadFrom(
        "openzipkin/zipkin:docker/test-images/zipkin-elasticsearch8/Dockerfile@878ce2a1fad54ca941d17fdcf2e1d924b148eb1f",
    ),
};

/// Apache Kafka's own image, for its command-line tools.
pub const KAFKA: Pin = Pin {
    name: "kafka",
    kind: PinKind::Image,
    location: "docker.io/apache/kafka",
    version: KAFKA_VERSION,
    brings: KAFKA_VERSION,
    evidence: Evidence::ReadFrom("https://github.com/apache/kafka/pull/22657"),
};

/// The exporter of consumer lag for external brokers; Strimzi brings its own. Its tags carry a `v`.
pub const KAFKA_EXPORTER: Pin = Pin {
    name: "kafka-exporter",
    kind: PinKind::Image,
    location: "docker.io/danielqsj/kafka-exporter",
    version: "v1.9.0",
    brings: "1.9.0",
    evidence: Evidence::ReadFrom("danielqsj/kafka_exporter:Makefile@v1.9.0"),
};

/// The OpenTelemetry Collector in the distribution that carries the Zipkin exporter, the tail sampler and the
/// load-balancing exporter.
pub const OTEL_COLLECTOR: Pin = Pin {
    name: "opentelemetry-collector",
    kind: PinKind::Image,
    location: "docker.io/otel/opentelemetry-collector-contrib",
    version: "0.159.0",
    brings: "0.159.0",
    evidence: Evidence::ReadFrom(
        "open-telemetry/opentelemetry-collector-releases:distributions/otelcol-contrib/manifest.yaml@v0.159.0",
    ),
};

/// CloudNativePG's image of PostgreSQL with every contrib extension.
pub const POSTGRESQL: Pin = Pin {
    name: "postgresql",
    kind: PinKind::Image,
    location: "ghcr.io/cloudnative-pg/postgresql",
    version: "18.6-standard-trixie",
    brings: "18.6",
    evidence: Evidence::ReadFrom(
        "cloudnative-pg/postgres-containers:docker-bake.hcl@a949ae5871b3685ebd569070fe8657e261328e7f",
    ),
};

/// Zipkin. It has no OTLP endpoint.
pub const ZIPKIN: Pin = Pin {
    name: "zipkin",
    kind: PinKind::Image,
    location: "docker.io/openzipkin/zipkin",
    version: "3.5.1",
    brings: "3.5.1",
    evidence: Evidence::ReadFrom("openzipkin/zipkin:docker/README.md@3.5.1"),
};
