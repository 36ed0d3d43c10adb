//! Tracing: collectors that decide which traces are kept, and Zipkin that keeps them.
//!
//! Everything sends OTLP to [`COLLECTOR`], which is always the first tier. With one sampler that tier decides itself.
//! With several, it brings all spans of a trace to one of them, since a decision needs the whole trace.

mod collector;
mod config;
mod elasticsearch;
mod pod;
mod retention;
mod sizing;
mod zipkin;

use super::Inputs;
use crate::artefact::Artefacts;
use crate::resolve::{OBSERVABILITY, TraceStore};
use k8s_openapi::api::core::v1::EnvVar;

const FAMILY: &str = "tracing";

/// The workload and Service that take spans.
pub(crate) const COLLECTOR: &str = "otel-collector";
/// The workload and headless Service of the second tier.
pub(crate) const SAMPLER: &str = "otel-sampler";
/// Zipkin's workload and Service.
pub(crate) const ZIPKIN: &str = "zipkin";
/// The `CronJob` that deletes old indices.
pub(crate) const RETENTION: &str = "zipkin-retention";
/// Our own Elasticsearch node, and the Secret with the password (outside also the user name) for any Elasticsearch.
pub(crate) const ELASTICSEARCH: &str = "elasticsearch";
/// The user of our own node, who is there from the start.
const ELASTICSEARCH_USER: &str = "elastic";

/// OTLP over gRPC.
pub(crate) const OTLP_GRPC: u16 = 4317;
/// OTLP over HTTP.
pub(crate) const OTLP_HTTP: u16 = 4318;
/// Zipkin's API and pages.
const ZIPKIN_PORT: u16 = 9411;
/// Elasticsearch's HTTP API.
const ELASTICSEARCH_PORT: u16 = 9200;

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    collector::emit(inputs, artefacts);
    zipkin::emit(inputs, artefacts);
    if matches!(inputs.env.tracing.store, TraceStore::Node { .. }) {
        elasticsearch::emit(inputs, artefacts);
    }
    if !matches!(inputs.env.tracing.store, TraceStore::Memory { .. }) {
        retention::emit(inputs, artefacts);
    }
}

/// A Service's name within the cluster.
fn address(service: &str) -> String {
    format!("{service}.{OBSERVABILITY}.svc")
}

/// Where Zipkin and the retention job find Elasticsearch.
fn elasticsearch_url(store: &TraceStore) -> Option<String> {
    match store {
        TraceStore::Memory { .. } => None,
        TraceStore::External { url, .. } => Some(url.clone()),
        TraceStore::Node { .. } => Some(format!("http://{}:{ELASTICSEARCH_PORT}", address(ELASTICSEARCH))),
    }
}

/// As whom Zipkin and the retention job come to Elasticsearch.
fn elasticsearch_user(store: &TraceStore) -> [EnvVar; 2] {
    let name = match store {
        TraceStore::Node { .. } => pod::variable("ES_USERNAME", ELASTICSEARCH_USER),
        TraceStore::Memory { .. } | TraceStore::External { .. } => {
            pod::secret_variable("ES_USERNAME", ELASTICSEARCH, "username")
        }
    };
    [name, pod::secret_variable("ES_PASSWORD", ELASTICSEARCH, "password")]
}

#[cfg(test)]
mod tests;
